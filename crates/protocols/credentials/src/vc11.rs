//! Credentials of VC Data Model 1.1 as JWT with the `vc` claim (VC 1.1 §6.3.1).

use heddle_clock::Timestamp;
use heddle_jose::{Algorithm, Header, NumericDate, TimeClaims, Token, Unsigned, claims};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    CredentialDraft, CredentialError, DataModel, Format, ParsedCredential, Schema, VerifiableCredential,
    error::member, model::Surrounding, status::WireEntry,
};

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    jti: &'a str,
    iat: NumericDate,
    nbf: NumericDate,
    exp: NumericDate,
    vc: Wire<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(rename = "@context")]
    context: Vec<&'a str>,
    id: &'a str,
    #[serde(rename = "type")]
    kind: Vec<&'a str>,
    issuer: &'a str,
    issuance_date: String,
    expiration_date: String,
    credential_subject: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_status: Option<WireEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_schema: Option<WireSchema<'a>>,
}

#[derive(Serialize)]
struct WireSchema<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// The token of a credential, to be signed with the issuer's key `kid` (a DID URL).
///
/// # Errors
/// [`CredentialError::Token`] when it cannot be written.
pub fn unsigned(draft: &CredentialDraft, kid: &str, alg: Algorithm) -> Result<Unsigned, CredentialError> {
    let mut subject = draft.claims.clone();
    subject.insert("id".to_owned(), draft.subject.clone().into());
    let claims = Claims {
        iss: &draft.issuer,
        sub: &draft.subject,
        jti: &draft.id,
        iat: NumericDate(draft.issued_at),
        nbf: NumericDate(draft.issued_at),
        exp: NumericDate(draft.valid_until),
        vc: Wire {
            context: with_first(DataModel::V1.context(), &draft.contexts),
            id: &draft.id,
            kind: with_first("VerifiableCredential", &draft.types),
            issuer: &draft.issuer,
            issuance_date: whole_second(draft.issued_at),
            expiration_date: whole_second(draft.valid_until),
            credential_subject: subject,
            credential_status: draft.status.as_ref().map(WireEntry::from),
            credential_schema: draft.schema.as_ref().map(wire_schema),
        },
    };
    Ok(Unsigned::new(Header::jwt(alg, kid), &claims)?)
}

fn wire_schema(schema: &Schema) -> WireSchema<'_> {
    WireSchema { id: &schema.id, kind: &schema.kind }
}

pub(crate) fn with_first<'a>(first: &'a str, rest: &'a [String]) -> Vec<&'a str> {
    let rest = rest.iter().map(String::as_str).filter(|entry| *entry != first);
    std::iter::once(first).chain(rest).collect()
}

/// The same instant as the claim beside it, which has whole seconds only.
fn whole_second(time: Timestamp) -> String {
    Timestamp::from_seconds(time.as_seconds()).to_string()
}

/// Reads a credential; its signature is not checked.
///
/// # Errors
/// What the token, a member or a status entry is refused for. A credential must say from when it is valid, be
/// it in `issuanceDate`, `nbf` or `iat`.
pub fn parse(text: &str) -> Result<ParsedCredential, CredentialError> {
    read(Token::parse(text)?)
}

pub(crate) fn read(token: Token) -> Result<ParsedCredential, CredentialError> {
    let set = token.claims_unverified();
    let raw = set.get("vc").and_then(Value::as_object).ok_or_else(|| member("/vc", "an object"))?;
    let times = TimeClaims::of(set)?;
    let surrounding = Surrounding {
        issuer: claims::text(set, "iss")?,
        subject: claims::text(set, "sub")?,
        id: claims::text(set, "jti")?,
        not_before: times.not_before,
        expires_at: times.expires_at,
    };
    let mut credential = VerifiableCredential::read(raw, "/vc", DataModel::V1, &surrounding)?;
    credential.valid_from = credential.valid_from.or(times.issued_at);
    if credential.valid_from.is_none() {
        return Err(member("/vc/issuanceDate", "a time with an offset"));
    }
    Ok(ParsedCredential::new(token, credential, Format::Vc11Sl2021Jwt))
}
