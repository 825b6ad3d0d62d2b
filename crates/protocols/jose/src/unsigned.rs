//! Writing tokens: a header and claims that wait for a signature.

use serde::Serialize;

use crate::{Algorithm, JoseError, SoftwareKey, encoding};

/// The protected header of a token (RFC 7515 §4.1), as far as it is read and written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The algorithm of the signature.
    pub alg: Algorithm,
    /// Which key signed; in dataspaces a DID URL.
    pub kid: Option<String>,
    /// What the token is, so that one kind is not taken for another (RFC 8725 §3.11).
    pub typ: Option<String>,
}

impl Header {
    /// A header of an ordinary token: type `JWT`, signed with the key `kid`.
    #[must_use]
    pub fn jwt(alg: Algorithm, kid: impl Into<String>) -> Self {
        Self { alg, kid: Some(kid.into()), typ: Some("JWT".to_owned()) }
    }

    /// The same header with another type.
    #[must_use]
    pub fn with_typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = Some(typ.into());
        self
    }
}

/// A token without its signature. Sign [`Unsigned::signing_input`], then [`Unsigned::finish`].
#[derive(Debug, Clone)]
#[must_use = "a token is only usable with its signature"]
pub struct Unsigned {
    header: Header,
    text: String,
}

#[derive(Serialize)]
struct WireHeader<'a> {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
}

impl Unsigned {
    /// Encodes a header and claims.
    ///
    /// # Errors
    /// [`JoseError::Unwritable`] when the claims do not serialise to a JSON object.
    pub fn new<C: Serialize + ?Sized>(header: Header, claims: &C) -> Result<Self, JoseError> {
        let wire =
            WireHeader { alg: header.alg.name(), kid: header.kid.as_deref(), typ: header.typ.as_deref() };
        let head = serde_json::to_vec(&wire).map_err(|_| JoseError::Unwritable)?;
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::Unwritable)?;
        if payload.first() != Some(&b'{') {
            return Err(JoseError::Unwritable);
        }
        let text = format!("{}.{}", encoding::encode(&head), encoding::encode(&payload));
        Ok(Self { header, text })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The bytes to sign (RFC 7515 §5.1): header and payload as they go on the wire.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The compact token. `signature` is r‖s for ECDSA, and the plain signature for the others.
    #[must_use]
    pub fn finish(self, signature: &[u8]) -> String {
        let mut text = self.text;
        text.push('.');
        text.push_str(&encoding::encode(signature));
        text
    }

    /// Signs with a key in memory.
    ///
    /// # Errors
    /// [`JoseError::KeyMismatch`] when the header names another algorithm than the key's.
    pub fn sign(self, key: &SoftwareKey) -> Result<String, JoseError> {
        if self.header.alg != key.algorithm() {
            return Err(JoseError::KeyMismatch {
                algorithm: self.header.alg,
                key: key.public_jwk(None).kind(),
            });
        }
        let signature = key.sign(self.signing_input());
        Ok(self.finish(&signature))
    }
}

/// Encodes and signs with a key in memory, in one step.
///
/// # Errors
/// As [`Unsigned::new`] and [`Unsigned::sign`].
pub fn sign_compact<C: Serialize + ?Sized>(
    key: &SoftwareKey,
    header: Header,
    claims: &C,
) -> Result<String, JoseError> {
    Unsigned::new(header, claims)?.sign(key)
}
