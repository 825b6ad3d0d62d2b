//! Secrets and key use, behind one port: [`Vault`].
//!
//! A private key never leaves a vault; callers ask it to sign. What a vault holds belongs to an owner, and only
//! a scope of that owner opens it. [`EmbeddedVault`] keeps encrypted rows in the installation's own database,
//! under a master key that lies outside of it ([`MasterKeySource`]).
//!
//! The identity that opens the vault (the master key, held by the server) has nothing to do with the one that
//! calls an API (a client of the token service): taking back either leaves the other working.
//!
//! # How to add a vault
//!
//! Implement [`Vault`] in a crate of its own. The `…_in` methods take part in a caller's commit; a vault outside
//! the database writes at once, and what a failed commit leaves behind there is never referred to.
//!
//! Deliberately absent: export of private keys, encryption for callers, the meaning of an alias.

mod cache;
mod derivation;
mod embedded;
mod error;
mod inspection;
mod keyring;
mod master_key;
mod port;
mod rotation;
mod sealing;
mod secret;

pub use embedded::EmbeddedVault;
pub use error::{MasterKeyError, VaultError};
pub use inspection::{KEYRING, opens};
pub use master_key::{MASTER_KEY_BYTES, MasterKeySource};
pub use port::{ALIAS_BYTES_MAX, SECRET_BYTES_MAX, Vault, sign_compact};
pub use rotation::{MasterKeys, Rotation};
pub use secret::Secret;
