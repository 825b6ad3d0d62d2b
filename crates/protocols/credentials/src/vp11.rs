//! Presentations of VC Data Model 1.1 as JWT with the `vp` claim (VC 1.1 §6.3.1, DCP 1.0 §5.4).

use std::fmt;

use heddle_clock::Timestamp;
use heddle_jose::{Algorithm, Audience, Header, Jwk, NumericDate, TimeClaims, Token, Unsigned, claims};
use serde::Serialize;
use serde_json::Value;

use crate::{
    CredentialError, DataModel,
    error::member,
    shape::{self, ENTRIES_MAX},
};

/// The largest presentation that is read, in bytes.
pub const PRESENTATION_BYTES_MAX: usize = 1024 * 1024;

/// A presentation to be signed by its holder. `Debug` shows none of the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentationDraft {
    /// Its id, for the verifier to notice that it is shown twice.
    pub id: String,
    /// The holder's DID.
    pub holder: String,
    /// The verifier's DID, the only audience.
    pub audience: String,
    /// The credentials, as JWT, all of the same data model.
    pub credentials: Vec<String>,
    /// When it is made; rounded down to the second.
    pub issued_at: Timestamp,
    /// Until when it may be shown; rounded down to the second.
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: &'a str,
    iat: NumericDate,
    nbf: NumericDate,
    exp: NumericDate,
    vp: Wire<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(rename = "@context")]
    context: [&'a str; 1],
    id: &'a str,
    #[serde(rename = "type")]
    kind: [&'a str; 1],
    holder: &'a str,
    verifiable_credential: &'a [String],
}

/// The token of a presentation, to be signed with the holder's key `kid` (a DID URL).
///
/// # Errors
/// [`CredentialError::Token`] when it cannot be written.
pub fn unsigned(draft: &PresentationDraft, kid: &str, alg: Algorithm) -> Result<Unsigned, CredentialError> {
    let claims = Claims {
        iss: &draft.holder,
        sub: &draft.holder,
        aud: &draft.audience,
        jti: &draft.id,
        iat: NumericDate(draft.issued_at),
        nbf: NumericDate(draft.issued_at),
        exp: NumericDate(draft.expires_at),
        vp: Wire {
            context: [DataModel::V1.context()],
            id: &draft.id,
            kind: ["VerifiablePresentation"],
            holder: &draft.holder,
            verifiable_credential: &draft.credentials,
        },
    };
    Ok(Unsigned::new(Header::jwt(alg, kid), &claims)?)
}

/// A presentation that was read from its token. Its signature is *not* checked. `Debug` shows none of the
/// credentials.
#[derive(Clone)]
pub struct ParsedPresentation {
    token: Token,
    holder: String,
    id: Option<String>,
    audience: Option<Audience>,
    times: TimeClaims,
    credentials: Vec<String>,
}

/// A presentation whose signature was checked with a key that the caller chose. Whether the key is the
/// holder's, and what the credentials are worth, is for further checks.
#[derive(Debug, Clone)]
pub struct VerifiedPresentationToken(ParsedPresentation);

/// Reads a presentation of at most [`PRESENTATION_BYTES_MAX`]; its signature is not checked.
///
/// # Errors
/// What the token or a member is refused for. [`CredentialError::Heterogeneous`] when an entry of
/// `verifiableCredential` is no text. At most 64 credentials.
pub fn parse(text: &str) -> Result<ParsedPresentation, CredentialError> {
    let token = Token::parse_bounded(text, PRESENTATION_BYTES_MAX)?;
    let set = token.claims_unverified();
    let vp = set.get("vp").and_then(Value::as_object).ok_or_else(|| member("/vp", "an object"))?;
    if !shape::texts(vp, "type", "/vp")?.iter().any(|kind| kind == "VerifiablePresentation") {
        return Err(member("/vp/type", "VerifiablePresentation, alone or in an array"));
    }
    let holder = claims::text(set, "iss")?.ok_or_else(|| member("/iss", "the holder's DID"))?.to_owned();
    if shape::identifier(vp, "holder", "/vp")?.is_some_and(|named| named != holder) {
        return Err(member("/vp/holder", "the same as the claim 'iss'"));
    }
    let credential = |value: &Value| match value {
        Value::String(jwt) => Ok(jwt.clone()),
        _ => Err(CredentialError::Heterogeneous),
    };
    let credentials =
        shape::many(vp, "verifiableCredential", "/vp")?.iter().map(credential).collect::<Result<_, _>>()?;
    Ok(ParsedPresentation {
        holder,
        id: claims::text(set, "jti")?.map(str::to_owned),
        audience: Audience::of(set)?,
        times: TimeClaims::of(set)?,
        credentials,
        token,
    })
}

/// Most credentials in one presentation.
pub const CREDENTIALS_MAX: usize = ENTRIES_MAX;

impl ParsedPresentation {
    /// The token.
    #[must_use]
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// The holder's DID: the `iss` claim.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The id: the `jti` claim.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whom it is meant for.
    #[must_use]
    pub const fn audience(&self) -> Option<&Audience> {
        self.audience.as_ref()
    }

    /// When it may be shown.
    #[must_use]
    pub const fn times(&self) -> &TimeClaims {
        &self.times
    }

    /// The credentials, as they were presented.
    #[must_use]
    pub fn credentials(&self) -> &[String] {
        &self.credentials
    }

    /// The `kid` of its token: a DID URL of the holder.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.token.header().kid.as_deref()
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`CredentialError::Token`] when it does not belong to the key.
    pub fn verify(self, key: &Jwk) -> Result<VerifiedPresentationToken, CredentialError> {
        self.token.verify(key)?;
        Ok(VerifiedPresentationToken(self))
    }
}

impl VerifiedPresentationToken {
    /// The presentation.
    #[must_use]
    pub const fn parsed(&self) -> &ParsedPresentation {
        &self.0
    }
}

impl fmt::Debug for PresentationDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PresentationDraft");
        shown.field("id", &self.id).field("holder", &self.holder).field("audience", &self.audience);
        shown.finish_non_exhaustive()
    }
}

impl fmt::Debug for ParsedPresentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ParsedPresentation");
        shown.field("id", &self.id).field("holder", &self.holder).field("audience", &self.audience);
        shown.finish_non_exhaustive()
    }
}
