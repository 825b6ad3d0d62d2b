//! What the Provision Manager is built from.

use std::{fmt, sync::Arc};

use heddle_agent::ADVANCE;
use heddle_auth::Authenticator;
use heddle_clock::Environment;
use heddle_store::{Store, Worker};
use heddle_tenancy::{Actor, OperatorScope, ScopeIssuer};

use crate::jobs::{AdvanceHandler, MANIFEST, ManifestHandler};

/// Everything that the Provision Manager needs from outside.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub environment: Environment,
    /// Mints the scope in which definitions are read for jobs of tenants.
    pub scopes: Arc<ScopeIssuer>,
    /// Authenticates callers.
    pub authenticator: Arc<Authenticator>,
}

/// The Provision Manager of one process.
pub struct ProvisionManager {
    pub(crate) store: Store,
    pub(crate) environment: Environment,
    scopes: Arc<ScopeIssuer>,
    pub(crate) authenticator: Arc<Authenticator>,
}

impl ProvisionManager {
    /// From its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, environment, scopes, authenticator } = parts;
        Arc::new(Self { store, environment, scopes, authenticator })
    }

    /// The installation's own rows: definitions.
    pub(crate) fn operator(&self) -> OperatorScope {
        self.scopes.operator(Actor::new("provision manager"))
    }

    /// Registers the handlers of its jobs.
    #[must_use]
    pub fn jobs(self: &Arc<Self>, worker: Worker) -> Worker {
        worker
            .handle(MANIFEST, Arc::new(ManifestHandler(self.clone())))
            .handle(ADVANCE, Arc::new(AdvanceHandler(self.clone())))
    }
}

impl fmt::Debug for ProvisionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProvisionManager")
    }
}
