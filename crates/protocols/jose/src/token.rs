//! Reading compact tokens (RFC 7515 §7.1, RFC 7519).

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    Algorithm, Header, JoseError, Jwk, Part, claims, encoding, error::excerpt, strict, verification,
};

/// The largest token that [`Token::parse`] reads, in bytes.
pub const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// A token that was taken apart. Its signature is *not* checked: what it says is a stranger's word.
///
/// `Debug` shows the header alone.
#[derive(Clone)]
pub struct Token {
    text: Box<str>,
    signing_input_end: usize,
    header: Header,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

/// A token whose signature was checked with a key that the caller chose.
#[derive(Clone, Debug)]
pub struct VerifiedToken(Token);

impl Token {
    /// Takes a compact token of at most [`TOKEN_BYTES_MAX`] apart.
    ///
    /// # Errors
    /// Everything that is ambiguous or not supported is refused: other than three parts, base64url that is
    /// not canonical, JSON with a member twice, an algorithm that is not in [`Algorithm`], any `crit`.
    pub fn parse(text: &str) -> Result<Self, JoseError> {
        Self::parse_bounded(text, TOKEN_BYTES_MAX)
    }

    /// As [`Token::parse`], with another limit on the size.
    ///
    /// # Errors
    /// As [`Token::parse`].
    pub fn parse_bounded(text: &str, bytes_max: usize) -> Result<Self, JoseError> {
        if text.len() > bytes_max {
            return Err(JoseError::TooLarge { bytes_max });
        }
        let mut parts = text.split('.');
        let (Some(head), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JoseError::Parts);
        };
        let header = header_of(&object(Part::Header, head)?)?;
        let claims = object(Part::Payload, payload)?;
        let signature = encoding::decode(signature).ok_or(JoseError::Encoding(Part::Signature))?;
        let signing_input_end = head.len() + 1 + payload.len();
        Ok(Self { text: text.into(), signing_input_end, header, claims, signature })
    }

    /// The header. Not trustworthy before the signature is checked.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims, **not verified**: good for finding the key to check with, and for nothing else.
    #[must_use]
    pub const fn claims_unverified(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The token as it was received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`JoseError::KeyMismatch`] when the algorithm does not fit the key's type, curve or `alg`;
    /// [`JoseError::Signature`] when the signature is not by this key over this token.
    pub fn verify(&self, key: &Jwk) -> Result<VerifiedToken, JoseError> {
        let message = &self.text.as_bytes()[..self.signing_input_end];
        verification::verify(key, self.header.alg, message, &self.signature)?;
        Ok(VerifiedToken(self.clone()))
    }
}

impl VerifiedToken {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.0.header
    }

    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.0.claims
    }

    /// The claims as a type.
    ///
    /// # Errors
    /// [`JoseError::Claim`] with the path of the claim that is missing or has another type.
    pub fn into_claims<T: DeserializeOwned>(self) -> Result<T, JoseError> {
        claims::read(self.0.claims)
    }

    /// The token as it was received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("header", &self.header).finish_non_exhaustive()
    }
}

fn object(part: Part, text: &str) -> Result<Map<String, Value>, JoseError> {
    let bytes = encoding::decode(text).ok_or(JoseError::Encoding(part))?;
    strict::parse_object(&bytes).map_err(|reason| JoseError::Json { part, reason })
}

fn header_of(members: &Map<String, Value>) -> Result<Header, JoseError> {
    if let Some(critical) = members.get("crit") {
        let first = critical.get(0).and_then(Value::as_str).unwrap_or("crit");
        return Err(JoseError::Critical(excerpt(first)));
    }
    // RFC 7797 demands `crit` beside `b64`; a header that forgets it still means another signing input.
    if members.get("b64").is_some_and(|b64| *b64 != Value::Bool(true)) {
        return Err(JoseError::Critical("b64".to_owned()));
    }
    let text = |member: &'static str| match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseError::HeaderMember { member, expected: "a string" }),
    };
    let alg = text("alg")?.ok_or(JoseError::HeaderMember { member: "alg", expected: "present" })?;
    Ok(Header { alg: Algorithm::parse(&alg)?, kid: text("kid")?, typ: text("typ")? })
}
