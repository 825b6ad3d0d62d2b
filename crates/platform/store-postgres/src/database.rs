//! The port.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use heddle_clock::{Environment, Timestamp};
use heddle_store::{
    Batch, Census, ClaimRequest, ClaimedJob, Database, DeadJob, DeadJobQuery, Event, EventCursor, EventQuery,
    Lease, PoolUse, Published, Receipt, Signals, Snapshot, StoreError, Topic, Write,
    audit::{AuditHead, AuditLog},
};
use heddle_tenancy::{Access, Directory, Owner};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    PostgresAudit, PostgresOptions, audit, background, census, claim, commit, connect, dead,
    error::{in_time, of_first_connection, of_pool, of_statement},
    listener::{self, Ears},
    migration,
    pipeline::{Call, values},
    presence::{self, Presence},
    reads,
    schema::Schema,
    session,
    snapshot::PostgresSnapshot,
    tls,
};

/// A connected PostgreSQL database.
pub struct PostgresDatabase {
    pool: Pool,
    /// For lookups in the directory. They happen inside transactions; with one pool for both, enough transactions at a
    /// time would wait for one another.
    directory: Pool,
    signals: Signals,
    ears: Ears,
    presence: Presence,
    /// Events were written that have no places yet.
    written: Arc<Notify>,
    schema: Schema,
    audit: PostgresAudit,
    /// How long anything may take that is done with a connection.
    pub(crate) patience: Duration,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl PostgresDatabase {
    /// Connects, brings the schema up to date and starts what runs in the background.
    ///
    /// A pooler between this process and the server must be in session mode: advisory locks, `LISTEN` and settings
    /// belong to sessions.
    ///
    /// The login role of `url` needs to own the database (or have `CREATE` on it), and to be able to create roles
    /// or to be a member of the store's.
    ///
    /// # Errors
    /// `Unavailable` when the server cannot be reached, `Unusable` when the URL, the server's version, the roles or
    /// the schema do not fit. No error holds the password.
    pub async fn connect(
        url: &str,
        options: &PostgresOptions,
        environment: &Environment,
    ) -> Result<Self, StoreError> {
        Self::connect_knowing(migration::newest(), url, options, environment).await
    }

    /// As a release connects that knows the steps of the schema up to `known`, and none beyond.
    pub(crate) async fn connect_knowing(
        known: i64,
        url: &str,
        options: &PostgresOptions,
        environment: &Environment,
    ) -> Result<Self, StoreError> {
        let config = connect::config(url, options)?;
        let tls = tls::connector(options.root_certificates.as_deref())?;
        let for_directory = (options.connections_max / 4).max(1);
        let for_all_else = options.connections_max.saturating_sub(for_directory).max(1);
        let pool = connect::pool(config.clone(), tls.clone(), for_all_else, options)?;
        let directory = connect::pool(config.clone(), tls.clone(), for_directory, options)?;
        let client = pool.get().await.map_err(|error| of_first_connection(&config, error))?;
        if let Err(error) = migration::run(&client, environment.now(), (known, options.fsync_required)).await
        {
            // It may be in the middle of a transaction.
            drop(Object::take(client));
            return Err(error);
        }
        drop(client);
        let signals = Signals::with_safety_net(options.safety_net);
        let written = Arc::new(Notify::new());
        let (wait, patience) = (options.connect_wait, options.patience());
        let sequence = background::sequence(pool.clone(), written.clone(), signals.clone(), patience);
        let (listening, listens) = oneshot::channel();
        let (presence, schema) = (Presence::default(), Schema::new(known));
        let ears = Ears::new(presence.clone(), schema.changed.clone());
        let listen = listener::run((config, tls, wait), signals.clone(), ears.clone(), listening);
        let watch = presence::watch(pool.clone(), presence.clone(), signals.clone(), (wait, patience));
        let schemas = schema.clone().watch(pool.clone(), patience);
        let tasks =
            vec![tokio::spawn(sequence), tokio::spawn(listen), tokio::spawn(watch), tokio::spawn(schemas)];
        let tasks = Mutex::new(tasks);
        // Without it all goes on, only with waits as long as the safety nets', and as the leases of the dead.
        drop(tokio::time::timeout(wait, listens).await);
        let audit = PostgresAudit::over(pool.clone(), patience);
        Ok(Self { pool, directory, signals, ears, presence, written, schema, audit, patience, tasks })
    }

    /// What the server's setting `name` is on this database's connections, for diagnosis.
    ///
    /// # Errors
    /// `Unavailable` when the server does not answer, `Unusable` when it has no such setting.
    pub async fn setting(&self, name: &str) -> Result<String, StoreError> {
        let client = self.client().await?;
        let row = client.query_one("SELECT current_setting($1)", &[&name]).await;
        row.and_then(|row| row.try_get(0)).map_err(|e| of_statement(&e))
    }

    pub(crate) async fn client(&self) -> Result<Object, StoreError> {
        self.schema.check()?;
        self.pool.get().await.map_err(of_pool)
    }

    async fn client_for_directory(&self) -> Result<Object, StoreError> {
        self.schema.check()?;
        self.directory.get().await.map_err(of_pool)
    }

    fn stop(&self) {
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

#[async_trait]
impl Database for PostgresDatabase {
    async fn snapshot(&self, access: Access) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(PostgresSnapshot::new(self.client().await?, access, self.patience)))
    }

    async fn commit(&self, access: Access, mut batch: Batch) -> Result<Receipt, StoreError> {
        for write in &mut batch.writes {
            if let Write::Enqueue { lease_for: Some(lease), .. } = write {
                lease.worker = self.presence.enlist(&lease.worker).await;
            }
        }
        let client = self.client().await?;
        let done = timeout(self.patience, commit::commit(&client, &access, &batch)).await;
        let committed = in_time(client, done);
        if let Err(StoreError::Unavailable { .. }) = committed {
            // The connection broke. Whether it was committed nobody knows; whoever looks will see.
            self.written.notify_one();
            self.signals.announce(Topic::Jobs);
            self.signals.notify_audit();
        }
        let (receipt, moved) = committed?;
        if moved.audit {
            self.signals.notify_audit();
        }
        if moved.events {
            self.written.notify_one();
        }
        if moved.jobs {
            self.signals.announce(Topic::Jobs);
        }
        Ok(receipt)
    }

    async fn claim(&self, mut request: ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError> {
        request.worker = self.presence.enlist(&request.worker).await;
        let client = self.client().await?;
        let done = timeout(self.patience, claim::claim(&client, &request)).await;
        in_time(client, done)
    }

    async fn extend(&self, leases: &[Lease], until: Timestamp) -> Result<Vec<Lease>, StoreError> {
        let client = self.client().await?;
        let done = timeout(self.patience, claim::extend(&client, leases, until)).await;
        in_time(client, done)
    }

    async fn next_due(&self, kinds: &[String], after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let client = self.client().await?;
        let done = timeout(self.patience, claim::next_due(&client, kinds, after)).await;
        in_time(client, done)
    }

    async fn dead_jobs(&self, query: DeadJobQuery) -> Result<Vec<DeadJob>, StoreError> {
        dead::dead_jobs(&*self.client().await?, &query).await
    }

    async fn events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError> {
        let client = self.client().await?;
        let done = timeout(self.patience, reads::events(&client, &query)).await;
        in_time(client, done)
    }

    async fn newest_event(&self) -> Result<EventCursor, StoreError> {
        let client = self.client().await?;
        let newest = async {
            // An event that was committed and has no place yet would otherwise come after the newest.
            if background::place_all(&client).await? {
                self.signals.announce(Topic::Events);
            }
            reads::newest_event(&client).await
        };
        let done = timeout(self.patience, newest).await;
        in_time(client, done)
    }

    async fn lookup(&self, _: Directory, kind: &str, key: &str) -> Result<Option<Published>, StoreError> {
        let client = self.client_for_directory().await?;
        let done = timeout(self.patience, reads::lookup(&client, kind, key)).await;
        in_time(client, done)
    }

    async fn published(
        &self,
        _: Directory,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Published>, StoreError> {
        let client = self.client_for_directory().await?;
        let done = timeout(self.patience, reads::published(&client, kind, after, limit)).await;
        in_time(client, done)
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // The sweeper may see of a row nothing but when it expires: a batch ends at a time, with all rows of that time.
        let sql = "WITH nonces AS (
                 DELETE FROM heddle.nonce WHERE expires_at <= coalesce(
                     (SELECT expires_at FROM heddle.nonce WHERE expires_at <= $1
                      ORDER BY expires_at OFFSET $2 LIMIT 1), $1)
                 RETURNING expires_at
             ), due AS (
                 DELETE FROM heddle.aggregate WHERE kind IN ('answer', 'denial') AND due_at <= coalesce(
                     (SELECT due_at FROM heddle.aggregate WHERE kind IN ('answer', 'denial') AND due_at <= $1
                      ORDER BY due_at OFFSET $2 LIMIT 1), $1)
                 RETURNING due_at
             )
             SELECT (SELECT count(*) FROM nonces) + (SELECT count(*) FROM due)";
        let call = Call::new(sql, values![now.as_millis(), i64::from(limit.saturating_sub(1))]);
        let client = self.client().await?;
        let swept = reads::read(&client, session::WRITE_AS_SWEEPER, Vec::new(), call);
        let done = timeout(self.patience, swept).await;
        reads::count_of(&in_time(client, done)?)
    }

    async fn seal_audit(&self, limit: u32) -> Result<Option<AuditHead>, StoreError> {
        let mut client = self.client().await?;
        let done = timeout(self.patience, audit::seal(&mut client, limit)).await;
        in_time(client, done)
    }

    fn audit_log(&self) -> &dyn AuditLog {
        &self.audit
    }

    async fn owners_to_index(&self, kinds: &[&'static str], limit: u32) -> Result<Vec<Owner>, StoreError> {
        reads::owners_to_index(&*self.client().await?, kinds, limit).await
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    fn system(&self) -> &'static str {
        "postgresql"
    }

    async fn census(&self, now: Timestamp) -> Result<Census, StoreError> {
        census::census(&*self.client().await?, now).await
    }

    fn pools(&self) -> Vec<PoolUse> {
        vec![census::pool_use("main", &self.pool), census::pool_use("directory", &self.directory)]
    }

    fn hears_others(&self) -> Result<(), String> {
        if self.ears.are_open() {
            return Ok(());
        }
        Err("processes do not wake each other: the connection that listens is broken".to_owned())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let client = self.pool.get().await.map_err(of_pool)?;
        let done = timeout(self.patience, self.schema.look(&client)).await;
        in_time(client, done)
    }

    async fn close(&self) {
        self.stop();
        self.pool.close();
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for PostgresDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresDatabase").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}
