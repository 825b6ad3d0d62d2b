//! Properties of rows that were stored without them: by a release before this one, or beside it.
//!
//! A row knows at which version its properties were stored. Every commit of this release stores both together; an older
//! release stores the document alone, and the two differ from then on. So what is missing is found at a start (through
//! an index that holds nothing else), and stored, one owner after the other, by every process that starts: whoever
//! comes second finds that it is done.

use std::{future::Future, pin::Pin};

use heddle_ids::JobId;
use heddle_tenancy::{JobScope, Scope, ScopeIssuer};

use crate::{Aggregate, Loaded, Query, Store, StoreError, Transaction};

/// Rows of one commit.
const BATCH_ROWS: u32 = 200;
/// Owners that are asked for at a time.
const OWNERS: u32 = 100;
/// How often the rest is looked for when it does not become less: somebody else changes the same rows.
const ATTEMPTS_MAX: u32 = 20;

/// A kind of aggregates that can be filtered.
#[derive(Clone, Copy)]
pub struct Indexed {
    kind: &'static str,
    batch: for<'t> fn(&'t Store, &'t dyn Scope) -> Batch<'t>,
}

type Batch<'t> = Pin<Box<dyn Future<Output = Result<u32, StoreError>> + Send + 't>>;

impl Indexed {
    /// The aggregates `A`.
    #[must_use]
    pub fn of<A: Aggregate + 'static>() -> Self {
        Self { kind: A::KIND, batch: |store, scope| Box::pin(batch::<A>(store, scope)) }
    }
}

impl std::fmt::Debug for Indexed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind)
    }
}

impl Store {
    /// Stores the properties of all rows of these kinds that were stored without them; returns how many rows.
    /// A document that cannot be read is left as it is, and told.
    ///
    /// # Errors
    /// `Unavailable` and `Unusable` as the database has them.
    pub async fn index(&self, scopes: &ScopeIssuer, kinds: &[Indexed]) -> Result<u64, StoreError> {
        let names: Vec<&'static str> = kinds.iter().map(|kind| kind.kind).collect();
        let (mut stored, mut attempts) = (0, 0);
        loop {
            let owners = self.database().owners_to_index(&names, OWNERS).await?;
            let before = stored;
            for owner in &owners {
                let scope = scopes.job(owner.clone(), &JobId::from_parts(0, [0; 10]));
                let scope: &dyn Scope = match &scope {
                    JobScope::Participant(scope) => scope,
                    JobScope::Tenant(scope) => scope,
                    JobScope::Operator(scope) => scope,
                };
                for kind in kinds {
                    stored += u64::from((kind.batch)(self, scope).await?);
                }
            }
            attempts = if stored > before { 0 } else { attempts + 1 };
            if owners.is_empty() || attempts == ATTEMPTS_MAX {
                return Ok(stored);
            }
        }
    }
}

async fn batch<A: Aggregate>(store: &Store, scope: &dyn Scope) -> Result<u32, StoreError> {
    let query = Query { unindexed: true, limit: BATCH_ROWS, ..Query::default() };
    let rows = match store.begin(scope).list::<A>(&query).await {
        Err(error @ StoreError::Unreadable { .. }) => {
            tracing::warn!(component = "store", action = "index", %error, "rows cannot be filtered yet");
            return Ok(0);
        }
        rows => rows?,
    };
    let mut stored = 0;
    for row in &rows {
        let mut transaction: Transaction<'_> = store.begin(scope);
        transaction.save(row, Loaded::value(row));
        match transaction.commit().await {
            Ok(()) => stored += 1,
            // Whoever changed it has stored its properties.
            Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(stored)
}
