//! Self-issued tokens of the issuer, as the credential service makes them, with a way to break down.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use heddle_auth::{SelfIssuedError, SelfIssuedTokens};
use heddle_clock::Environment;
use heddle_dcp::token::self_issued::SelfIssuedDraft;
use heddle_did::Did;
use heddle_ids::ParticipantId;
use heddle_jose::Algorithm;
use heddle_tenancy::ParticipantScope;
use heddle_vault::{Vault, sign_compact};

use crate::support::ALIAS;

/// The port.
pub struct Tokens {
    did: Did,
    vault: Arc<dyn Vault>,
    environment: Environment,
    /// How many times it breaks down before it works.
    pub crashes: AtomicU32,
}

impl Tokens {
    pub fn new(did: Did, vault: Arc<dyn Vault>, environment: Environment) -> Self {
        Self { did, vault, environment, crashes: AtomicU32::new(0) }
    }
}

#[async_trait]
impl SelfIssuedTokens for Tokens {
    async fn token(
        &self,
        scope: &ParticipantScope,
        audience: &ParticipantId,
        _: &[String],
        access_token: Option<&str>,
    ) -> Result<String, SelfIssuedError> {
        let left = self.crashes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "the process breaks down here, as the test wants it");
        let jti = self.environment.uuid();
        let draft = SelfIssuedDraft {
            participant: &self.did,
            audience: audience.as_str(),
            jti: &jti,
            now: self.environment.now(),
            lifetime: Duration::from_secs(300),
            access_token,
            pre_authorized_code: None,
        };
        let unsigned = draft.unsigned(&self.did.url("key-1"), Algorithm::Es256).expect("written");
        Ok(sign_compact(self.vault.as_ref(), scope, ALIAS, unsigned).await.expect("signs"))
    }
}
