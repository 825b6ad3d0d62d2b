//! The issuer service of one process, from its parts.

use std::{fmt, sync::Arc};

use heddle_auth::{Authenticator, SelfIssuedTokens};
use heddle_clock::Environment;
use heddle_dcp::Rules;
use heddle_outbound::{DidResolver, Outbound};
use heddle_store::{Store, Worker};
use heddle_tenancy::ScopeIssuer;
use heddle_vault::Vault;

use crate::{
    delivery::{DELIVER, Deliverer, REJECT, Rejecter},
    removal::{SWEEP, Sweeper},
    status_list::{RENEW, Renewer},
};

/// What the operator decides about every issuer of this service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether a holder that repeats a `holderPid` is refused (409). Otherwise each request is a process of its
    /// own, as the conformance suite expects.
    pub refuse_repeated_holder_pid: bool,
}

/// Everything that the issuer service needs from outside.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub environment: Environment,
    /// Mints the scopes of verified holders.
    pub scopes: Arc<ScopeIssuer>,
    /// Authenticates callers of the Issuer Admin API.
    pub authenticator: Arc<Authenticator>,
    /// Signs with the issuers' keys.
    pub vault: Arc<dyn Vault>,
    /// Proves issuers to the credential services of holders.
    pub tokens: Arc<dyn SelfIssuedTokens>,
    /// The HTTP client.
    pub outbound: Outbound,
    /// Finds DID documents.
    pub resolver: DidResolver,
    /// The public URL, without a slash at its end. It is part of every status entry, for good.
    pub public_url: String,
    /// What the operator decides.
    pub settings: Settings,
}

/// Holders, attestations, credential definitions, issuance and revocation of the issuers of this installation.
pub struct IssuerService {
    pub(crate) parts: Parts,
    pub(crate) rules: Rules,
}

impl IssuerService {
    /// From its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self { parts, rules: Rules::default() })
    }

    /// Registers the handlers of this service's jobs.
    #[must_use]
    pub fn jobs(self: &Arc<Self>, worker: Worker) -> Worker {
        worker
            .handle(DELIVER, Arc::new(Deliverer(self.clone())))
            .handle(REJECT, Arc::new(Rejecter(self.clone())))
            .handle(RENEW, Arc::new(Renewer(self.clone())))
            .handle(SWEEP, Arc::new(Sweeper(self.clone())))
    }
}

impl fmt::Debug for IssuerService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerService")
    }
}
