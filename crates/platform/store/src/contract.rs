//! The contract that every implementation of the port keeps, as tests that it runs over itself.
//!
//! An implementation's `tests/contract.rs` holds `heddle_store::contract_suite!(fresh);`, where `fresh` is an
//! `async fn(&Environment) -> Arc<dyn Database>` that yields an empty database. To add a test: a public async
//! function in one of the modules below, and its name in the list of the macro.
//!
//! Deliberately absent: what only one implementation promises (its settings, its roles, its files).

use std::{sync::Arc, time::Duration};

use heddle_clock::{Environment, FixedClock, SeededRng, Timestamp};
use heddle_ids::{ParticipantContextId, ParticipantId, WorkerId};
use heddle_tenancy::{Actor, IssuancePeer, ParticipantScope, Recipient, ScopeIssuer, TenantScope};
use serde::{Deserialize, Serialize};

use crate::{
    Aggregate, Batch, ClaimRequest, ClaimedJob, Columns, Database, Store, StoreError, Transaction, Write,
};

pub mod aggregates;
pub mod audit;
pub mod census;
pub mod claims;
pub mod clock;
pub mod dead;
pub mod events;
pub mod fairness;
pub mod filters;
pub mod isolation;
pub mod jobs;
pub mod leases;
pub mod queries;
pub mod records;
pub mod seed;
pub mod shapes;
mod suite;
pub mod workers;

/// An empty database, a clock that stands still, and the mint of scopes.
#[derive(Debug)]
pub struct World {
    /// The handle above the waist.
    pub store: Store,
    /// The clock that `store` reads.
    pub clock: FixedClock,
    /// Mints scopes for the tests.
    pub scopes: Arc<ScopeIssuer>,
}

impl World {
    /// The time at which every test begins, and its seeded random bytes.
    #[must_use]
    pub fn environment() -> (Environment, FixedClock) {
        let clock = FixedClock::at(Timestamp::from_seconds(1_800_000_000));
        (Environment::new(Arc::new(clock.clone()), Arc::new(SeededRng::new(7))), clock)
    }

    /// Around an empty database that was opened with `environment`.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the contract plays the composition root")]
    pub fn new(database: Arc<dyn Database>, environment: Environment, clock: FixedClock) -> Self {
        Self { store: Store::new(database, environment), clock, scopes: Arc::new(ScopeIssuer::new()) }
    }

    /// The database below the store.
    #[must_use]
    pub fn database(&self) -> &Arc<dyn Database> {
        self.store.database()
    }

    /// Everything of a participant context.
    #[must_use]
    pub fn participant(&self, id: &str) -> ParticipantScope {
        self.scopes.participant(context(id), Actor::new("test"))
    }

    /// One tenant's management data.
    #[must_use]
    pub fn tenant(&self, id: &str) -> TenantScope {
        self.scopes.tenant(id.parse().expect("legal"), Actor::new("test"))
    }

    /// What a participant context shares with one counter-party.
    #[must_use]
    pub fn peer(&self, id: &str, counter_party: &str) -> IssuancePeer {
        let recipient = Recipient::new(context(id), party(id));
        self.scopes.issuance_peer(&recipient, party(counter_party))
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.store.environment().now()
    }

    /// Begins a transaction of a participant context and commits what `write` puts into it.
    async fn commit(
        &self,
        scope: &ParticipantScope,
        write: impl FnOnce(&mut Transaction<'_>),
    ) -> Result<(), StoreError> {
        let mut transaction = self.store.begin(scope);
        write(&mut transaction);
        transaction.commit().await
    }

    /// Inserts a thing.
    async fn insert(&self, scope: &ParticipantScope, thing: &Thing) {
        self.commit(scope, |tx| tx.insert(thing)).await.expect("the insert commits");
    }

    /// Reads a thing.
    async fn read(&self, scope: &ParticipantScope, id: &str) -> Option<Thing> {
        let loaded = self.store.begin(scope).load::<Thing>(id).await.expect("the read succeeds");
        loaded.map(crate::Loaded::into_value)
    }

    /// Commits writes below the waist.
    async fn write(
        &self,
        scope: &ParticipantScope,
        writes: Vec<Write>,
    ) -> Result<crate::Receipt, StoreError> {
        use heddle_tenancy::Scope;
        self.database().commit(scope.access(), Batch::new(writes, self.now(), None)).await
    }

    /// Claims at most `limit` jobs of the kind `work` for 30 seconds.
    async fn claim(&self, worker: &str, limit: u32) -> Vec<ClaimedJob> {
        self.claim_with(worker, |request| request.limit = limit).await
    }

    /// Claims with a request that `change` has the last word on.
    async fn claim_with(&self, worker: &str, change: impl FnOnce(&mut ClaimRequest)) -> Vec<ClaimedJob> {
        let mut request = ClaimRequest {
            worker: worker_id(worker),
            kinds: vec!["work".to_owned()],
            limit: 100,
            after: None,
            per_owner_max: 100,
            per_host_max: 100,
            now: self.now(),
            until: self.now() + Duration::from_secs(30),
            token: self.store.environment().uuid(),
        };
        change(&mut request);
        self.database().claim(request).await.expect("the claim succeeds")
    }
}

fn context(id: &str) -> ParticipantContextId {
    ParticipantContextId::parse(id).expect("legal")
}

fn party(id: &str) -> ParticipantId {
    ParticipantId::parse(id).expect("legal")
}

fn worker_id(id: &str) -> WorkerId {
    WorkerId::parse(id).expect("legal")
}

/// The aggregate that the tests store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    id: String,
    name: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    counter_party: Option<String>,
    #[serde(default)]
    correlation: Option<String>,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    due_at: Option<Timestamp>,
}

impl Thing {
    /// A thing without promoted columns.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    fn of_counter_party(id: &str, counter_party: &str) -> Self {
        Self { counter_party: Some(counter_party.to_owned()), ..Self::new(id, "shared") }
    }

    fn with_key(id: &str, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..Self::new(id, "keyed") }
    }
}

impl Aggregate for Thing {
    const KIND: &'static str = "thing";

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Columns {
        Columns {
            state: self.state.clone().map(Into::into),
            counter_party: self.counter_party.clone(),
            correlation: self.correlation.clone(),
            reference: self.reference.clone(),
            unique_key: self.key.clone(),
            due_at: self.due_at,
        }
    }
}

/// Ids of a list, in its order.
fn ids<'a>(things: impl IntoIterator<Item = &'a crate::Loaded<Thing>>) -> Vec<String> {
    things.into_iter().map(|thing| thing.id.clone()).collect()
}

#[track_caller]
fn assert_duplicate(result: Result<(), StoreError>, id: &str) {
    match result {
        Err(StoreError::Duplicate { id: found, .. }) => assert_eq!(found, id),
        other => panic!("expected Duplicate of '{id}', got {other:?}"),
    }
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "a commit's result is asserted where it is made")]
fn assert_stale(result: Result<(), StoreError>) {
    assert!(matches!(result, Err(StoreError::Stale { .. })), "expected Stale, got {result:?}");
}
