//! Credentials before and after their signature was checked.

use heddle_jose::{Jwk, TOKEN_BYTES_MAX, Token};
use serde_json::Value;

use crate::{CredentialError, DataModel, Format, VerifiableCredential, vc11, vc20};

/// A credential that was read from its token. Its signature is *not* checked.
#[derive(Debug, Clone)]
pub struct ParsedCredential {
    token: Token,
    credential: VerifiableCredential,
    format: Format,
}

/// A credential whose signature was checked with a key that the caller chose. That the key is the issuer's is
/// what [`crate::check::check_issuer_binding`] says.
#[derive(Debug, Clone)]
pub struct VerifiedCredential(ParsedCredential);

impl ParsedCredential {
    /// Reads a credential of either format: one with a `vc` claim is VC 1.1, one without VC 2.0.
    ///
    /// # Errors
    /// What the token, a member or a status entry is refused for.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        Self::parse_bounded(text, TOKEN_BYTES_MAX)
    }

    /// As [`ParsedCredential::parse`], with another limit on the size than [`TOKEN_BYTES_MAX`].
    ///
    /// # Errors
    /// As [`ParsedCredential::parse`].
    pub fn parse_bounded(text: &str, bytes_max: usize) -> Result<Self, CredentialError> {
        let token = Token::parse_bounded(text, bytes_max)?;
        if token.claims_unverified().contains_key("vc") { vc11::read(token) } else { vc20::read(token) }
    }

    pub(crate) const fn new(token: Token, credential: VerifiableCredential, format: Format) -> Self {
        Self { token, credential, format }
    }

    /// The token.
    #[must_use]
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// What it says. Not trustworthy before the signature is checked.
    #[must_use]
    pub const fn credential(&self) -> &VerifiableCredential {
        &self.credential
    }

    /// Its format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The `kid` of its token: a DID URL of the issuer.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.token.header().kid.as_deref()
    }

    /// A claim of the token that is a text.
    pub(crate) fn claim(&self, name: &str) -> Option<&str> {
        self.token.claims_unverified().get(name).and_then(Value::as_str)
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`CredentialError::Token`] when it does not belong to the key.
    pub fn verify(self, key: &Jwk) -> Result<VerifiedCredential, CredentialError> {
        self.token.verify(key)?;
        Ok(VerifiedCredential(self))
    }

    /// The data model.
    #[must_use]
    pub const fn data_model(&self) -> DataModel {
        self.credential.data_model
    }
}

impl VerifiedCredential {
    /// What it says.
    #[must_use]
    pub const fn credential(&self) -> &VerifiableCredential {
        &self.0.credential
    }

    /// The credential as it was before the check, for further checks.
    #[must_use]
    pub const fn parsed(&self) -> &ParsedCredential {
        &self.0
    }
}
