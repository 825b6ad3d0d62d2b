//! Temporary in-memory database.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_ids::WorkerId;
use heddle_store::{
    Batch, ClaimRequest, ClaimedJob, Columns, Database, Event, EventCursor, EventQuery, ExpectedVersion,
    Published, Query, Receipt, Row, Selector, Signals, Snapshot, StoreError, Write,
};
use heddle_tenancy::{Access, Directory, Owner};

type Rows = BTreeMap<(String, &'static str, String), (Row, Columns)>;
#[derive(Clone, Default)]
struct State {
    rows: Rows,
    directory: BTreeMap<(&'static str, String), (Owner, String)>,
    audits: Vec<String>,
}
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
    signals: Signals,
}
impl Memory {
    pub fn dump(&self) -> String {
        let s = self.state.lock().expect("x");
        format!("{:?} {:?} {:?}", s.rows, s.directory, s.audits)
    }
}
struct Snap(Rows, String);
#[async_trait]
impl Snapshot for Snap {
    async fn row(&mut self, kind: &'static str, selector: Selector<'_>) -> Result<Option<Row>, StoreError> {
        Ok(match selector {
            Selector::Id(id) => self.0.get(&(self.1.clone(), kind, id.to_owned())).map(|r| r.0.clone()),
            Selector::UniqueKey(k) => self
                .0
                .iter()
                .find(|((o, kk, _), (_, c))| {
                    *o == self.1 && *kk == kind && c.unique_key.as_deref() == Some(k)
                })
                .map(|(_, r)| r.0.clone()),
        })
    }
    async fn rows(&mut self, kind: &'static str, _query: &Query) -> Result<Vec<Row>, StoreError> {
        Ok(self
            .0
            .iter()
            .filter(|((o, k, _), _)| *o == self.1 && *k == kind)
            .map(|(_, r)| r.0.clone())
            .collect())
    }
    async fn count(&mut self, kind: &'static str, query: &Query) -> Result<u64, StoreError> {
        Ok(self.rows(kind, query).await?.len() as u64)
    }
}
fn apply(s: &mut State, owner: &Owner, w: Write, now: Timestamp) -> Result<(), StoreError> {
    let o = owner.to_string();
    match w {
        Write::Put { kind, id, expected, columns, document } => {
            let k = (o.clone(), kind, id.clone());
            if let Some(u) = &columns.unique_key
                && s.rows.iter().any(|(x, (_, c))| {
                    x.0 == o && x.1 == kind && x.2 != id && c.unique_key.as_ref() == Some(u)
                })
            {
                return Err(StoreError::Duplicate { kind: kind.to_owned(), id: u.clone() });
            }
            let version = match (s.rows.get(&k), expected) {
                (None, ExpectedVersion::Absent) => 1,
                (Some(r), ExpectedVersion::Exactly(v)) if r.0.version == v => v + 1,
                (_, ExpectedVersion::Absent) => {
                    return Err(StoreError::Duplicate { kind: kind.to_owned(), id });
                }
                _ => return Err(StoreError::Stale { kind: kind.to_owned(), id }),
            };
            s.rows.insert(k, (Row { id, version, document, created_at: now }, columns));
        }
        Write::Delete { kind, id, version } => {
            let k = (o, kind, id.clone());
            match s.rows.get(&k) {
                Some(r) if r.0.version == version => drop(s.rows.remove(&k)),
                _ => return Err(StoreError::Stale { kind: kind.to_owned(), id }),
            }
        }
        Write::Publish(row) => {
            let k = (row.kind, row.key.clone());
            if s.directory.get(&k).is_some_and(|(o, _)| o != owner) {
                return Err(StoreError::Duplicate { kind: "directory".to_owned(), id: row.key });
            }
            s.directory.insert(k, (owner.clone(), row.value));
        }
        Write::Withdraw { kind, key } => drop(s.directory.remove(&(kind, key))),
        Write::Audit(e) => s.audits.push(format!("{e:?}")),
        _ => unimplemented!(),
    }
    Ok(())
}
#[async_trait]
impl Database for Memory {
    async fn snapshot(&self, access: Access) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(Snap(self.state.lock().expect("x").rows.clone(), access.owner().to_string())))
    }
    async fn commit(&self, access: Access, batch: Batch) -> Result<Receipt, StoreError> {
        let mut s = self.state.lock().expect("x");
        let mut next = s.clone();
        for w in batch.writes {
            apply(&mut next, access.owner(), w, batch.now)?;
        }
        *s = next;
        Ok(Receipt::default())
    }
    async fn claim(&self, _: ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError> {
        Ok(vec![])
    }
    async fn extend(&self, _: &WorkerId, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
    async fn free_leases_of_the_dead(&self, _: &WorkerId) -> Result<u64, StoreError> {
        Ok(0)
    }
    async fn next_due(&self, _: &[String]) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
    async fn events(&self, _: EventQuery) -> Result<Vec<Event>, StoreError> {
        Ok(vec![])
    }
    async fn newest_event(&self) -> Result<EventCursor, StoreError> {
        Ok(EventCursor(0))
    }
    async fn lookup(&self, _: Directory, kind: &str, key: &str) -> Result<Option<Published>, StoreError> {
        let s = self.state.lock().expect("x");
        let f = s.directory.iter().find(|((k, x), _)| *k == kind && x == key);
        Ok(f.map(|((_, k), (o, v))| Published { key: k.clone(), owner: o.clone(), value: v.clone() }))
    }
    async fn published(
        &self,
        _: Directory,
        _: &str,
        _: Option<&str>,
        _: u32,
    ) -> Result<Vec<Published>, StoreError> {
        Ok(vec![])
    }
    async fn sweep(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
    fn signals(&self) -> &Signals {
        &self.signals
    }
    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn close(&self) {}
}
pub fn memory() -> Arc<Memory> {
    Arc::new(Memory::default())
}
