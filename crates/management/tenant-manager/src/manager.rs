//! What the Tenant Manager is built from.

use std::{fmt, sync::Arc};

use heddle_auth::Authenticator;
use heddle_clock::Environment;
use heddle_provision_manager::RESPONSE;
use heddle_store::{Store, Worker};
use heddle_tenancy::{Actor, OperatorScope, ScopeIssuer};
use heddle_web::Shutdown;

use crate::jobs::ResponseHandler;

/// Everything that the Tenant Manager needs from outside.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub environment: Environment,
    /// Mints the scope in which cells and dataspace profiles are read for orders of tenants.
    pub scopes: Arc<ScopeIssuer>,
    /// Authenticates callers.
    pub authenticator: Arc<Authenticator>,
    /// Ends event feeds.
    pub shutdown: Shutdown,
}

/// The Tenant Manager of one process.
pub struct TenantManager {
    pub(crate) store: Store,
    pub(crate) environment: Environment,
    scopes: Arc<ScopeIssuer>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) shutdown: Shutdown,
}

impl TenantManager {
    /// From its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, environment, scopes, authenticator, shutdown } = parts;
        Arc::new(Self { store, environment, scopes, authenticator, shutdown })
    }

    /// The installation's own rows: cells and dataspace profiles.
    pub(crate) fn installation(&self) -> OperatorScope {
        self.scopes.operator(Actor::new("tenant manager"))
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
