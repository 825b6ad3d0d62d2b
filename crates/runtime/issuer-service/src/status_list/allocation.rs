//! Giving out places, for as many credentials as one commit stores.

use heddle_clock::Environment;
use heddle_store::{Loaded, StoreError, Transaction};

use super::{Kind, StatusListRecord};
use crate::credential::StatusPlace;

/// Lists that a commit is about to change. Nothing is given out before that commit: whoever was slower finds the
/// version changed, and takes other places.
#[derive(Debug, Default)]
pub(crate) struct Allocation {
    lists: Vec<Taken>,
}

#[derive(Debug)]
struct Taken {
    loaded: Option<Loaded<StatusListRecord>>,
    record: StatusListRecord,
}

impl Allocation {
    /// The next place in the open list of `kind`; a new list is opened when there is none.
    pub(crate) async fn take(
        &mut self,
        transaction: &mut Transaction<'_>,
        kind: Kind,
        environment: &Environment,
    ) -> Result<StatusPlace, StoreError> {
        if !self.lists.iter().any(|taken| taken.record.kind == kind) {
            let loaded =
                transaction.load_by_key::<StatusListRecord>(&StatusListRecord::open_key(kind)).await?;
            if let Some(loaded) = loaded {
                let record = loaded.value().clone();
                self.lists.push(Taken { loaded: Some(loaded), record });
            }
        }
        let open = self.lists.iter_mut().rfind(|taken| taken.record.kind == kind);
        if let Some(taken) = open
            && let Some(index) = taken.record.take()
        {
            return Ok(StatusPlace { list: taken.record.id.clone(), index });
        }
        let mut record = StatusListRecord::open(kind, environment);
        let index = record.take().unwrap_or_default();
        let place = StatusPlace { list: record.id.clone(), index };
        self.lists.push(Taken { loaded: None, record });
        Ok(place)
    }

    /// The lists that are new, and so not published yet.
    pub(crate) fn opened(&self) -> impl Iterator<Item = &StatusListRecord> {
        self.lists.iter().filter(|taken| taken.loaded.is_none()).map(|taken| &taken.record)
    }

    /// Writes what was taken. Lists that became full come first, for the next one takes their unique key.
    pub(crate) fn store(&self, transaction: &mut Transaction<'_>) {
        for taken in &self.lists {
            match &taken.loaded {
                Some(loaded) => transaction.save(loaded, &taken.record),
                None => transaction.insert(&taken.record),
            }
        }
    }
}
