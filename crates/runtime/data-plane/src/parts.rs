//! What the data plane is built from.

use std::{fmt, sync::Arc};

use heddle_auth::Authenticator;
use heddle_clock::Environment;
use heddle_outbound::Outbound;
use heddle_store::{Store, StoreError, Worker};
use heddle_tenancy::ScopeIssuer;
use heddle_vault::Vault;
use heddle_web::Shutdown;

use crate::{
    blob::BlobStore,
    control_planes::CallbackTokens,
    flow::{CALLBACK, Caller, FORGET, Forgetter},
    removal::{SWEEP, Sweeper},
    source::SourceReader,
    table::FlowTable,
};

/// Everything that the data plane needs from outside.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub environment: Environment,
    /// Mints flow permits, and the scopes of authenticated control planes.
    pub scopes: Arc<ScopeIssuer>,
    /// Authenticates callers.
    pub authenticator: Arc<Authenticator>,
    /// Secrets.
    pub vault: Arc<dyn Vault>,
    /// The HTTP client.
    pub outbound: Outbound,
    /// Where uploads lie.
    pub blobs: Arc<dyn BlobStore>,
    /// The public URL, without a slash at its end.
    pub public_url: String,
    /// Largest upload, in bytes.
    pub upload_bytes_max: u64,
}

/// The data plane of one process.
pub struct DataPlane {
    pub(crate) store: Store,
    pub(crate) environment: Environment,
    pub(crate) scopes: Arc<ScopeIssuer>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) outbound: Outbound,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) callback_tokens: CallbackTokens,
    pub(crate) table: FlowTable,
    pub(crate) public_url: String,
    pub(crate) upload_bytes_max: u64,
}

impl DataPlane {
    /// From its parts; reads the live flows.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn new(parts: Parts) -> Result<Arc<Self>, StoreError> {
        let sources = SourceReader::new(parts.store.clone(), parts.vault.clone(), parts.scopes.clone());
        let table = FlowTable::new(parts.store.clone(), sources, parts.scopes.clone());
        table.load().await?;
        Ok(Arc::new(Self {
            table,
            callback_tokens: CallbackTokens::new(parts.outbound.clone(), parts.vault.clone()),
            store: parts.store,
            environment: parts.environment,
            scopes: parts.scopes,
            authenticator: parts.authenticator,
            vault: parts.vault,
            outbound: parts.outbound,
            blobs: parts.blobs,
            public_url: parts.public_url,
            upload_bytes_max: parts.upload_bytes_max,
        }))
    }

    /// Registers the handlers of this plane's jobs.
    #[must_use]
    pub fn jobs(self: &Arc<Self>, worker: Worker) -> Worker {
        worker
            .handle(CALLBACK, Arc::new(Caller(self.clone())))
            .handle(FORGET, Arc::new(Forgetter(self.clone())))
            .handle(SWEEP, Arc::new(Sweeper(self.clone())))
    }

    /// Follows what other replicas change, until the server stops: it cuts off the downloads of flows that they have
    /// closed, and tidies the table. Run it once per process.
    pub async fn follow(self: Arc<Self>, shutdown: Shutdown) {
        self.table.follow(shutdown).await;
    }
}

impl fmt::Debug for DataPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataPlane")
    }
}
