//! Self-issued tokens in process (DCP 1.0 §4.3): signed with the participant's own key, through the vault.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_auth::{SelfIssuedError, SelfIssuedTokens};
use heddle_clock::Environment;
use heddle_dcp::{
    Rules, Scope,
    token::{access_token::AccessTokenDraft, self_issued::SelfIssuedDraft},
};
use heddle_did::Did;
use heddle_ids::ParticipantId;
use heddle_store::Store;
use heddle_tenancy::ParticipantScope;
use heddle_vault::{Vault, VaultError};

use crate::{
    participant::Usage,
    signing::{SigningError, SigningKey},
    wallet::presentation,
};

/// How long a self-issued token and the access token inside it are valid.
pub(crate) const TOKEN_LIFETIME: Duration = Duration::from_secs(300);
/// Most scopes of one access token.
const SCOPES_MAX: usize = 100;

/// Issues tokens of the participants of this installation.
#[derive(Clone)]
pub struct InProcessTokens {
    store: Store,
    environment: Environment,
    vault: Arc<dyn Vault>,
}

impl InProcessTokens {
    /// Over the database and the vault of this process.
    #[must_use]
    pub fn new(store: Store, environment: Environment, vault: Arc<dyn Vault>) -> Self {
        Self { store, environment, vault }
    }

    async fn issue(
        &self,
        scope: &ParticipantScope,
        audience: &Did,
        (granted, access_token): (&[Scope], Option<&str>),
    ) -> Result<String, SigningError> {
        let key = SigningKey::find(&mut self.store.begin(scope), Usage::Tokens).await?;
        let now = self.environment.now();
        let minted = if granted.is_empty() {
            None
        } else {
            let jti = format!("accesstoken-{}", self.environment.uuid());
            let draft = AccessTokenDraft {
                holder: &key.did,
                verifier: audience.as_str(),
                scopes: granted,
                jti: &jti,
                now,
                lifetime: TOKEN_LIFETIME,
            };
            Some(key.sign(self.vault.as_ref(), scope, draft.unsigned(&key.kid, key.algorithm)?).await?)
        };
        let jti = self.environment.uuid();
        let draft = SelfIssuedDraft {
            participant: &key.did,
            audience: audience.as_str(),
            jti: &jti,
            now,
            lifetime: TOKEN_LIFETIME,
            access_token: minted.as_deref().or(access_token),
            pre_authorized_code: None,
        };
        key.sign(self.vault.as_ref(), scope, draft.unsigned(&key.kid, key.algorithm)?).await
    }
}

#[async_trait]
impl SelfIssuedTokens for InProcessTokens {
    async fn token(
        &self,
        scope: &ParticipantScope,
        audience: &ParticipantId,
        bearer_scope: &[String],
        access_token: Option<&str>,
    ) -> Result<String, SelfIssuedError> {
        let refused = |reason: String| SelfIssuedError::Refused { reason };
        if !bearer_scope.is_empty() && access_token.is_some() {
            let reason = "a token carries either an access token of ours or one that was given, not both";
            return Err(refused(reason.to_owned()));
        }
        if access_token.is_some_and(str::is_empty) {
            return Err(refused("the access token is empty".to_owned()));
        }
        if bearer_scope.len() > SCOPES_MAX {
            return Err(refused(format!("an access token has at most {SCOPES_MAX} scopes")));
        }
        let audience = Did::parse(audience.as_str()).map_err(|e| refused(format!("the audience: {e}")))?;
        let granted = bearer_scope.iter().map(|scope| Scope::parse(scope));
        let granted = granted.collect::<Result<Vec<_>, _>>().map_err(|e| refused(e.to_string()))?;
        self.issue(scope, &audience, (&granted, access_token)).await.map_err(|error| refusal(&error))
    }

    async fn shortcomings(&self, scope: &ParticipantScope, bearer_scope: &[String]) -> Vec<String> {
        let asked: Vec<Scope> = bearer_scope.iter().filter_map(|scope| Scope::parse(scope).ok()).collect();
        // It only explains; what cannot be read explains nothing.
        let held = presentation::held(&mut self.store.begin(scope), &asked).await.unwrap_or_default();
        presentation::shortcomings(&held, &asked, self.environment.now(), &Rules::default())
    }
}

fn refusal(error: &SigningError) -> SelfIssuedError {
    let reason = error.to_string();
    match error {
        SigningError::Inactive | SigningError::NoKey(_) => SelfIssuedError::Unable { reason },
        SigningError::Vault(VaultError::KeyMissing { .. }) => SelfIssuedError::Unable { reason },
        SigningError::Token(_) => SelfIssuedError::Refused { reason },
        SigningError::Vault(_) | SigningError::Store(_) => SelfIssuedError::Unavailable { reason },
    }
}

impl fmt::Debug for InProcessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcessTokens")
    }
}
