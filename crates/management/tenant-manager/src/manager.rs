//! What the Tenant Manager is built from.

use std::{fmt, sync::Arc};

use heddle_auth::Authenticator;
use heddle_clock::Environment;
use heddle_store::{Store, Worker};
use heddle_web::Shutdown;

use crate::jobs::{RESPONSE, ResponseHandler};

/// Everything that the Tenant Manager needs from outside.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub environment: Environment,
    /// Authenticates callers.
    pub authenticator: Arc<Authenticator>,
    /// Ends event feeds.
    pub shutdown: Shutdown,
}

/// The Tenant Manager of one process.
pub struct TenantManager {
    pub(crate) store: Store,
    pub(crate) environment: Environment,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) shutdown: Shutdown,
}

impl TenantManager {
    /// From its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, environment, authenticator, shutdown } = parts;
        Arc::new(Self { store, environment, authenticator, shutdown })
    }

    /// Registers the handlers of its jobs.
    #[must_use]
    pub fn jobs(self: &Arc<Self>, worker: Worker) -> Worker {
        worker.handle(RESPONSE, Arc::new(ResponseHandler(self.clone())))
    }
}

impl fmt::Debug for TenantManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantManager")
    }
}
