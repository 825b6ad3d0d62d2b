//! The port: what every vault does.

use async_trait::async_trait;
use heddle_jose::{Algorithm, Jwk, Unsigned};
use heddle_store::Transaction;
use heddle_tenancy::Scope;

use crate::{Secret, VaultError};

/// Longest alias, in bytes.
pub const ALIAS_BYTES_MAX: usize = 512;
/// Largest secret, in bytes.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// Keeps secrets and uses keys for their owners.
///
/// Everything is of the owner that the scope opens; aliases of different owners never meet. Secrets and keys
/// share one space of aliases, and a key is never handed out as a secret. A scope of a counter-party may have
/// something signed or sealed ([`Vault::sign`], [`Vault::public_key`], [`Vault::seal`]) and gets
/// [`VaultError::CounterParty`] for all else.
#[async_trait]
pub trait Vault: Send + Sync {
    /// A secret; `None` when there is none.
    async fn secret(&self, scope: &dyn Scope, alias: &str) -> Result<Option<Secret>, VaultError>;

    /// Keeps a secret, in place of one that has the alias already.
    async fn store_secret(&self, scope: &dyn Scope, alias: &str, secret: &Secret) -> Result<(), VaultError>;

    /// As [`Vault::store_secret`], in the caller's commit.
    async fn store_secret_in(
        &self,
        transaction: &mut Transaction<'_>,
        alias: &str,
        secret: &Secret,
    ) -> Result<(), VaultError>;

    /// Forgets a secret; whether there was one.
    async fn delete_secret(&self, scope: &dyn Scope, alias: &str) -> Result<bool, VaultError>;

    /// Makes a key pair (ES256 or EdDSA) and returns its public key, with its algorithm and without a `kid`.
    /// An alias that is taken is a `Duplicate`.
    async fn generate_key(
        &self,
        scope: &dyn Scope,
        alias: &str,
        algorithm: Algorithm,
    ) -> Result<Jwk, VaultError>;

    /// As [`Vault::generate_key`], in the caller's commit; a taken alias fails that commit.
    async fn generate_key_in(
        &self,
        transaction: &mut Transaction<'_>,
        alias: &str,
        algorithm: Algorithm,
    ) -> Result<Jwk, VaultError>;

    /// The public half of a key, with its algorithm and without a `kid`; `None` when there is no such key.
    async fn public_key(&self, scope: &dyn Scope, alias: &str) -> Result<Option<Jwk>, VaultError>;

    /// Signs with a key: r‖s for ES256, the plain signature for EdDSA.
    async fn sign(&self, scope: &dyn Scope, alias: &str, message: &[u8]) -> Result<Vec<u8>, VaultError>;

    /// Destroys a key; whether there was one. In this process it signs nothing from here on, in others nothing
    /// after 60 seconds.
    async fn delete_key(&self, scope: &dyn Scope, alias: &str) -> Result<bool, VaultError>;

    /// Encrypts a secret, for the caller to keep in a document of its own. It opens for the owner alone, and under
    /// the same label: the name of the place that it belongs to.
    async fn seal(&self, scope: &dyn Scope, label: &str, secret: &Secret) -> Result<String, VaultError>;

    /// Opens what [`Vault::seal`] has sealed.
    async fn open_sealed(&self, scope: &dyn Scope, label: &str, sealed: &str) -> Result<Secret, VaultError>;

    /// Forgets everything of the owner; returns how many entries there were.
    async fn delete_all(&self, scope: &dyn Scope) -> Result<u64, VaultError>;
}

/// Signs a token with a key of the vault. The header must name the key's algorithm.
pub async fn sign_compact(
    vault: &dyn Vault,
    scope: &dyn Scope,
    alias: &str,
    token: Unsigned,
) -> Result<String, VaultError> {
    let signature = vault.sign(scope, alias, token.signing_input()).await?;
    Ok(token.finish(&signature))
}

/// Refuses what is no alias.
pub(crate) fn check_alias(alias: &str) -> Result<(), VaultError> {
    let legal = (1..=ALIAS_BYTES_MAX).contains(&alias.len()) && !alias.chars().any(char::is_control);
    if legal { Ok(()) } else { Err(VaultError::Alias) }
}
