//! Who an issuer is and which key it signs with: from the directory, where the credential service publishes both.

use heddle_credentials::CredentialError;
use heddle_did::Did;
use heddle_ids::{ParticipantContextId, ParticipantId};
use heddle_jose::{Algorithm, Unsigned};
use heddle_store::{Store, StoreError};
use heddle_tenancy::{Recipient, Scope};
use heddle_vault::{Vault, VaultError, sign_compact};
use serde::Deserialize;

/// Directory kind: participant context id → [`PublishedContext`].
const PARTICIPANT_CONTEXT: &str = "holder";

/// Why an issuer does not sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    /// It has no key for credentials.
    #[error(
        "the issuer has no active key with the usage 'sign_credentials'; add one to its participant context"
    )]
    NoKey,
    /// What is to be signed cannot be written.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The vault does not sign.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

#[derive(Deserialize)]
struct PublishedContext {
    did: Did,
    active: bool,
    #[serde(default, rename = "signingKey")]
    signing_key: Option<PublishedKey>,
}

#[derive(Debug, Clone, Deserialize)]
struct PublishedKey {
    kid: String,
    alias: String,
}

/// A participant context in its part as an issuer.
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    pub(crate) recipient: Recipient,
    pub(crate) did: Did,
    /// Whether it issues. What it has issued can be taken back in any case.
    pub(crate) active: bool,
    key: Option<PublishedKey>,
}

impl Issuer {
    /// The participant context of this id.
    pub(crate) async fn find(
        store: &Store,
        context: &ParticipantContextId,
    ) -> Result<Option<Self>, StoreError> {
        let Some(row) = store.lookup(PARTICIPANT_CONTEXT, context.as_str()).await? else { return Ok(None) };
        let published: PublishedContext = row.value()?;
        let identity = ParticipantId::parse(published.did.as_str()).expect("a DID is an identifier");
        Ok(Some(Self {
            recipient: Recipient::new(context.clone(), identity),
            did: published.did,
            active: published.active,
            key: published.signing_key,
        }))
    }

    /// The key that it signs credentials and status lists with.
    pub(crate) async fn signing_key(
        &self,
        vault: &dyn Vault,
        scope: &dyn Scope,
    ) -> Result<SigningKey, SigningError> {
        let key = self.key.clone().ok_or(SigningError::NoKey)?;
        let public = vault.public_key(scope, &key.alias).await?.ok_or(SigningError::NoKey)?;
        let algorithm = public.alg().ok_or(SigningError::NoKey)?;
        Ok(SigningKey { did: self.did.clone(), kid: key.kid, algorithm, alias: key.alias })
    }
}

/// A key to sign with.
#[derive(Debug, Clone)]
pub(crate) struct SigningKey {
    /// The issuer.
    pub(crate) did: Did,
    /// The DID URL of the verification method.
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    alias: String,
}

impl SigningKey {
    /// Signs a token whose header names [`SigningKey::kid`] and [`SigningKey::algorithm`].
    pub(crate) async fn sign(
        &self,
        vault: &dyn Vault,
        scope: &dyn Scope,
        token: Unsigned,
    ) -> Result<String, SigningError> {
        Ok(sign_compact(vault, scope, &self.alias, token).await?)
    }
}
