//! Signing as a participant: which key, under which id, through the vault.

use heddle_did::Did;
use heddle_jose::{Algorithm, JoseError, Unsigned};
use heddle_store::{Loaded, Query, StoreError, Transaction};
use heddle_tenancy::{Owner, Scope};
use heddle_vault::{Vault, VaultError, sign_compact};

use crate::participant::{HolderContext, KeyPair, KeyState, Usage};

/// Why a participant does not sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    /// There is no such participant context, or it is not active.
    #[error("the participant context is not active; activate it first")]
    Inactive,
    /// It has no active key for this.
    #[error("the participant context has no active key with the usage '{0}'")]
    NoKey(&'static str),
    /// The token cannot be written.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// The vault does not sign.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key that a participant signs with.
#[derive(Debug, Clone)]
pub(crate) struct SigningKey {
    pub(crate) did: Did,
    /// The DID URL of the verification method.
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    vault_alias: String,
}

impl SigningKey {
    /// The active key for `usage` of the participant that the transaction is opened for; of several, the default.
    pub(crate) async fn find(transaction: &mut Transaction<'_>, usage: Usage) -> Result<Self, SigningError> {
        let context = active_context(transaction).await?;
        let keys = active_keys(transaction).await?;
        let fit = |key: &&Loaded<KeyPair>| key.usage.contains(&usage);
        let key = keys.iter().filter(fit).max_by_key(|key| key.default_pair);
        let key = key.ok_or(SigningError::NoKey(usage.name()))?;
        let algorithm = key.public_key.alg().ok_or(SigningError::NoKey(usage.name()))?;
        Ok(Self {
            did: context.did.clone(),
            kid: key.key_id.clone(),
            algorithm,
            vault_alias: key.vault_alias.clone(),
        })
    }

    /// Signs a token whose header names [`SigningKey::kid`] and [`SigningKey::algorithm`].
    pub(crate) async fn sign(
        &self,
        vault: &dyn Vault,
        scope: &dyn Scope,
        token: Unsigned,
    ) -> Result<String, SigningError> {
        Ok(sign_compact(vault, scope, &self.vault_alias, token).await?)
    }
}

/// The participant context that the transaction is opened for, if it is active.
pub(crate) async fn active_context(
    transaction: &mut Transaction<'_>,
) -> Result<Loaded<HolderContext>, SigningError> {
    let Owner::Participant(id) = transaction.access().owner().clone() else {
        return Err(SigningError::Inactive);
    };
    let context = transaction.load::<HolderContext>(id.as_str()).await?;
    context.filter(|context| context.is_active()).ok_or(SigningError::Inactive)
}

/// The active keys of the participant context that the transaction is opened for.
pub(crate) async fn active_keys(
    transaction: &mut Transaction<'_>,
) -> Result<Vec<Loaded<KeyPair>>, StoreError> {
    let query = Query { states: vec![KeyState::Activated.name().into()], ..Query::default() };
    transaction.list::<KeyPair>(&query).await
}
