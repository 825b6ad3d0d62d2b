//! The credential service of one process, from its parts.

use std::{fmt, sync::Arc};

use heddle_auth::{Authenticator, SelfIssuedTokens, TokenService};
use heddle_clock::Environment;
use heddle_dcp::Rules;
use heddle_outbound::{DidResolver, Outbound};
use heddle_store::{Store, Worker};
use heddle_tenancy::ScopeIssuer;
use heddle_vault::Vault;
use heddle_web::Shutdown;

use crate::{
    InProcessTokens,
    participant::{DISPOSE_KEYS, DisposeKeys},
    wallet::{RequestSender, SEND_REQUEST},
};

/// Everything that the credential service needs from outside.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub environment: Environment,
    /// Mints the scopes of verified peers.
    pub scopes: Arc<ScopeIssuer>,
    /// Authenticates callers of the Identity API.
    pub authenticator: Arc<Authenticator>,
    /// Knows the clients that may ask for self-issued tokens over HTTP, and ends those of a context that is removed.
    /// Without it that endpoint knows nobody.
    pub token_service: Option<Arc<TokenService>>,
    /// Keys.
    pub vault: Arc<dyn Vault>,
    /// The HTTP client.
    pub outbound: Outbound,
    /// Finds DID documents.
    pub resolver: DidResolver,
    /// The public URL, without a slash at its end.
    pub public_url: String,
    /// Ends the event streams when the server stops.
    pub shutdown: Shutdown,
}

/// Keys, DIDs, wallet, presentations and self-issued tokens of the participant contexts.
pub struct CredentialService {
    pub(crate) store: Store,
    pub(crate) environment: Environment,
    pub(crate) scopes: Arc<ScopeIssuer>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) token_service: Option<Arc<TokenService>>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) outbound: Outbound,
    pub(crate) resolver: DidResolver,
    pub(crate) tokens: Arc<InProcessTokens>,
    pub(crate) rules: Rules,
    pub(crate) public_url: String,
    pub(crate) shutdown: Shutdown,
}

impl CredentialService {
    /// From its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let tokens =
            InProcessTokens::new(parts.store.clone(), parts.environment.clone(), parts.vault.clone());
        Arc::new(Self {
            store: parts.store,
            environment: parts.environment,
            scopes: parts.scopes,
            authenticator: parts.authenticator,
            token_service: parts.token_service,
            vault: parts.vault,
            outbound: parts.outbound,
            resolver: parts.resolver,
            tokens: Arc::new(tokens),
            rules: Rules::default(),
            public_url: parts.public_url,
            shutdown: parts.shutdown,
        })
    }

    /// Self-issued tokens of the participants of this service, without a network between.
    #[must_use]
    pub fn self_issued_tokens(&self) -> Arc<dyn SelfIssuedTokens> {
        self.tokens.clone()
    }

    /// Registers the handlers of this service's jobs.
    #[must_use]
    pub fn jobs(self: &Arc<Self>, worker: Worker) -> Worker {
        let sender = RequestSender {
            store: self.store.clone(),
            vault: self.vault.clone(),
            outbound: self.outbound.clone(),
            resolver: self.resolver.clone(),
            tokens: self.tokens.clone(),
        };
        worker.handle(SEND_REQUEST, Arc::new(sender)).handle(
            DISPOSE_KEYS,
            Arc::new(DisposeKeys { store: self.store.clone(), vault: self.vault.clone() }),
        )
    }
}

impl fmt::Debug for CredentialService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialService")
    }
}
