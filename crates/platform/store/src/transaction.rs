//! One unit of reading and writing.

use heddle_clock::Timestamp;
use heddle_ids::JobId;
use heddle_telemetry::trace;
use heddle_tenancy::Scope;
use tracing::Instrument;

use crate::{
    Aggregate, Answer, AnswerKey, AuditEntry, Batch, ClaimedJob, DirectoryRow, ExpectedVersion, Loaded,
    NewEvent, NewJob, Nonce, Query, Row, Selector, Snapshot, Store, StoreError, Write, aggregate::document,
    filter::Properties, store::can_be_stored, telling, worker::Reservation,
};

/// Reads see one snapshot, taken at the first read; writes are buffered until [`Transaction::commit`].
///
/// Dropping it writes nothing. No lock is held: whoever commits first wins, the other gets `Stale`.
pub struct Transaction<'s> {
    store: Store,
    scope: &'s dyn Scope,
    snapshot: Option<Box<dyn Snapshot>>,
    writes: Vec<Write>,
    followers: Vec<Follower>,
}

/// What is done when the commit has succeeded.
type Follower = Box<dyn FnOnce() + Send + Sync>;

impl<'s> Transaction<'s> {
    pub(crate) fn new(store: Store, scope: &'s dyn Scope) -> Self {
        Self { store, scope, snapshot: None, writes: Vec::new(), followers: Vec::new() }
    }

    async fn snapshot(&mut self) -> Result<&mut Box<dyn Snapshot>, StoreError> {
        if self.snapshot.is_none() {
            self.snapshot = Some(self.store.database.snapshot(self.scope.access()).await?);
        }
        Ok(self.snapshot.as_mut().expect("it was set above"))
    }

    /// Loads an aggregate by id.
    pub async fn load<A: Aggregate>(&mut self, id: &str) -> Result<Option<Loaded<A>>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let system = self.store.database.system();
        let look = async { self.snapshot().await?.row(A::KIND, Selector::Id(id)).await };
        let row = telling::read(system, ("SELECT", A::KIND), look).await?;
        row.as_ref().map(Loaded::from_row).transpose()
    }

    /// Loads an aggregate by its unique key.
    pub async fn load_by_key<A: Aggregate>(&mut self, key: &str) -> Result<Option<Loaded<A>>, StoreError> {
        if !can_be_stored(key) {
            return Ok(None);
        }
        let system = self.store.database.system();
        let look = async { self.snapshot().await?.row(A::KIND, Selector::UniqueKey(key)).await };
        let row = telling::read(system, ("SELECT", A::KIND), look).await?;
        row.as_ref().map(Loaded::from_row).transpose()
    }

    /// Loads the aggregates that fit a query.
    pub async fn list<A: Aggregate>(&mut self, query: &Query) -> Result<Vec<Loaded<A>>, StoreError> {
        let system = self.store.database.system();
        let look = async { self.snapshot().await?.rows(A::KIND, query).await };
        let rows: Vec<Row> = telling::read(system, ("SELECT", A::KIND), look).await?;
        rows.iter().map(Loaded::from_row).collect()
    }

    /// Counts the aggregates that fit a query, ignoring its offset and limit.
    pub async fn count<A: Aggregate>(&mut self, query: &Query) -> Result<u64, StoreError> {
        let system = self.store.database.system();
        let look = async { self.snapshot().await?.count(A::KIND, query).await };
        telling::read(system, ("COUNT", A::KIND), look).await
    }

    /// The first answer that was stored under `key`, if it has not expired.
    pub async fn remembered(&mut self, key: &AnswerKey) -> Result<Option<Answer>, StoreError> {
        let now = self.now();
        let answer = self.load::<Answer>(key.as_str()).await?.map(Loaded::into_value);
        Ok(answer.filter(|answer| answer.expires_at > now))
    }

    /// Inserts a new aggregate; if one of this id or unique key exists, the commit fails with `Duplicate`.
    pub fn insert<A: Aggregate>(&mut self, value: &A) {
        self.put(value, ExpectedVersion::Absent, document(value));
    }

    /// Replaces what was loaded by `next`; if somebody else was faster, the commit fails with `Stale`.
    pub fn save<A: Aggregate>(&mut self, loaded: &Loaded<A>, next: &A) {
        self.put(next, ExpectedVersion::Exactly(loaded.version()), loaded.document_of(next));
    }

    fn put<A: Aggregate>(&mut self, value: &A, expected: ExpectedVersion, document: String) {
        let (id, columns) = (value.id().to_owned(), value.columns());
        let properties = value.properties().map(Properties::into_rows);
        self.writes.push(Write::Put { kind: A::KIND, id, expected, columns, properties, document });
    }

    /// Deletes what was loaded.
    pub fn delete<A: Aggregate>(&mut self, loaded: &Loaded<A>) {
        let id = loaded.value().id().to_owned();
        self.writes.push(Write::Delete { kind: A::KIND, id, version: loaded.version() });
    }

    /// Makes the commit fail with `Stale` unless what was loaded is still as it was.
    pub fn check<A: Aggregate>(&mut self, loaded: &Loaded<A>) {
        let id = loaded.value().id().to_owned();
        let expected = ExpectedVersion::Exactly(loaded.version());
        self.writes.push(Write::Check { kind: A::KIND, id, expected });
    }

    /// Enqueues a job.
    pub fn enqueue(&mut self, job: NewJob) {
        let (ms, random) = self.store.environment.id_parts();
        let id = JobId::from_parts(ms, random);
        self.writes.push(Write::Enqueue { id, job, lease_for: None });
    }

    /// Deletes the jobs of an order key that nobody holds at this moment.
    pub fn cancel_jobs(&mut self, order_key: impl Into<String>) {
        self.writes.push(Write::CancelJobs { order_key: order_key.into() });
    }

    /// Finishes the job that this transaction is the effect of.
    pub fn complete(&mut self, job: &ClaimedJob) {
        self.writes.push(Write::Complete(job.lease.clone()));
    }

    /// Lets a job that was set aside run once more, behind whatever waits under its order key. If it is not set aside at
    /// this moment, the commit fails with `Stale`. The audit log tells who did it.
    pub fn replay(&mut self, job: &JobId) {
        self.audit("job.replay", job.as_str());
        self.writes.push(Write::Replay { job: job.clone() });
    }

    /// Deletes a job that was set aside. If it is not at this moment, the commit fails with `Stale`. The audit log tells
    /// who did it.
    pub fn discard(&mut self, job: &JobId) {
        self.audit("job.discard", job.as_str());
        self.writes.push(Write::Discard { job: job.clone() });
    }

    /// Emits an event.
    pub fn emit(&mut self, event: NewEvent) {
        self.writes.push(Write::Emit(event));
    }

    /// Does `follow` when the commit has succeeded, and only then: lines of the log and numbers, which must not tell
    /// of what was never stored. It runs within the span of the commit, before the jobs of the commit begin.
    pub fn when_committed(&mut self, follow: impl FnOnce() + Send + Sync + 'static) {
        self.followers.push(Box::new(follow));
    }

    /// Appends to the audit log.
    pub fn audit(&mut self, action: impl Into<String>, subject: impl Into<String>) {
        let reason = self.scope.access().actor().reason.clone();
        let entry = AuditEntry { action: action.into(), subject: subject.into(), reason };
        self.writes.push(Write::Audit(entry));
    }

    /// Records that `value` was seen; if it was seen before, the commit fails with `Duplicate`. Any
    /// text fits, of any length.
    pub fn once(&mut self, value: impl AsRef<[u8]>, expires_at: Timestamp) {
        self.writes.push(Write::Once(Nonce::of(value, expires_at)));
    }

    /// Publishes a directory row; if another owner holds the key, the commit fails with `Duplicate`.
    pub fn publish(&mut self, row: DirectoryRow) {
        self.writes.push(Write::Publish(row));
    }

    /// Withdraws a directory row of ours.
    pub fn withdraw(&mut self, kind: &'static str, key: impl Into<String>) {
        self.writes.push(Write::Withdraw { kind, key: key.into() });
    }

    /// Remembers the first answer to a request; a second one under the same key fails with `Duplicate`.
    pub fn remember(&mut self, answer: &Answer) {
        self.insert(answer);
    }

    /// The rows that this transaction may see and change: those of the scope that it was opened with.
    pub fn access(&self) -> heddle_tenancy::Access {
        self.scope.access()
    }

    /// The time that this transaction works with.
    pub fn now(&self) -> Timestamp {
        self.store.environment.now()
    }

    /// Writes everything atomically. On an error nothing is written.
    ///
    /// An administrator's change to a participant is recorded in the audit log by itself.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        // The snapshot's connection goes back before the commit takes one.
        self.snapshot = None;
        if self.writes.is_empty() {
            self.followers.into_iter().for_each(|follow| follow());
            return Ok(());
        }
        let access = self.scope.access();
        if let Some(reason) = &access.actor().reason {
            let subject = access.owner().to_string();
            let entry =
                AuditEntry { action: "administrate".to_owned(), subject, reason: Some(reason.clone()) };
            self.writes.push(Write::Audit(entry));
        }
        let now = self.now();
        let mut reservation = Reservation::none();
        if let Some(dispatcher) = self.store.dispatcher.get() {
            reservation = dispatcher.reserve(&mut self.writes, now);
        }
        let batch = Batch::new(self.writes, now, trace::current());
        let (database, followers) = (self.store.database.clone(), self.followers);
        // A caller that goes away in the middle must not take with it the jobs that the commit claims.
        let committed = tokio::spawn(
            async move {
                let receipt = telling::commit(&*database, access, batch).await?;
                followers.into_iter().for_each(|follow| follow());
                reservation.dispatch(receipt.claimed);
                Ok(())
            }
            .in_current_span(),
        );
        committed.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable { reason: "the commit was broken off".to_owned() })
        })
    }
}
