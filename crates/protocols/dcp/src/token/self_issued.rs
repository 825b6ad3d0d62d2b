//! The self-issued token (DCP 1.0 §4.3).
//!
//! Verification has two halves, because the first says whose DID document the second needs: [`read`] judges
//! all that the token says about itself, so that a hopeless one costs no resolution; [`Candidate::verify`]
//! judges the key and the signature.

use std::{collections::BTreeSet, fmt, time::Duration};

use heddle_clock::Timestamp;
use heddle_credentials::Check;
use heddle_did::{Did, DidDocument, DidUrl, Relationship};
use heddle_jose::{Algorithm, Header, JoseError, Token, Unsigned};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ReplayKey, SELF_ISSUED_TYP};
use crate::{
    Cause, Refusal, Rules, claims,
    trace::{Signer, Stop, Trace},
};

/// The subject that the checks of a self-issued token name.
const SUBJECT: &str = "self-issued token";

/// What a self-issued token is to say.
#[derive(Debug, Clone)]
pub struct SelfIssuedDraft<'a> {
    /// The participant who proves itself.
    pub participant: &'a Did,
    /// The one whom it proves itself to: a DID.
    pub audience: &'a str,
    /// Unique text, at most [`super::JTI_BYTES_MAX`].
    pub jti: &'a str,
    /// The time of issue.
    pub now: Timestamp,
    /// How long it is valid.
    pub lifetime: Duration,
    /// An access token to hand over (our own, or a peer's that is copied back verbatim).
    pub access_token: Option<&'a str>,
    /// The code of a pre-authorised issuance.
    pub pre_authorized_code: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: &'a str,
    // Whole seconds, rounded down: a peer without leeway must not find `iat` in its future.
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(rename = "pre-authorized_code", skip_serializing_if = "Option::is_none")]
    pre_authorized_code: Option<&'a str>,
}

impl SelfIssuedDraft<'_> {
    /// The token without its signature. `kid` is the DID URL of the key that will sign.
    ///
    /// # Errors
    /// When header or claims cannot be written.
    pub fn unsigned(&self, kid: &str, alg: Algorithm) -> Result<Unsigned, JoseError> {
        let claims = Claims {
            iss: self.participant.as_str(),
            sub: self.participant.as_str(),
            aud: self.audience,
            jti: self.jti,
            iat: self.now.as_seconds(),
            exp: (self.now + self.lifetime).as_seconds(),
            token: self.access_token,
            pre_authorized_code: self.pre_authorized_code,
        };
        Unsigned::new(Header::jwt(alg, kid).with_typ(SELF_ISSUED_TYP), &claims)
    }
}

/// A token whose claims hold and whose signature is not checked. It proves nothing.
#[derive(Debug)]
pub struct Candidate {
    token: Token,
    issuer: Did,
    expires: Timestamp,
    trace: Trace,
    audience: Did,
    rules: Rules,
}

/// Reads a token and judges its claims: `iss`, `sub`, `aud`, `jti`, `exp`, `iat`, `nbf`, `token`, `kid`.
///
/// # Errors
/// The first check that fails, as a [`Refusal`] with [`Cause::SelfIssuedToken`].
pub fn read(text: &str, audience: &Did, now: Timestamp, rules: &Rules) -> Result<Candidate, Refusal> {
    let mut trace = Trace::default();
    match read_claims(&mut trace, text, audience, (now, rules)) {
        Ok((token, issuer, expires)) => {
            Ok(Candidate { token, issuer, expires, trace, audience: audience.clone(), rules: rules.clone() })
        }
        Err(stop) => Err(trace.refuse(Cause::SelfIssuedToken, stop)),
    }
}

fn read_claims(
    trace: &mut Trace,
    text: &str,
    audience: &Did,
    (now, rules): (Timestamp, &Rules),
) -> Result<(Token, Did, Timestamp), Stop> {
    let token = trace.check("token-form", SUBJECT, Token::parse(text))?;
    trace.check("token-purpose", SUBJECT, purpose(&token))?;
    let claims = token.claims_unverified();
    let issuer = trace.check("token-issuer", SUBJECT, issuer_and_subject(claims))?;
    trace.check("token-kid", SUBJECT, kid_of(&token, &issuer))?;
    trace.check("token-audience", SUBJECT, claims::audience(claims, audience))?;
    let expires = trace.check("token-time", SUBJECT, claims::times(claims, now, rules))?;
    trace.check("token-id", SUBJECT, claims::jti(claims).map(|_| ()))?;
    trace.check("token-access-token", SUBJECT, claims::optional_text(claims, "token").map(|_| ()))?;
    trace.check("token-code", SUBJECT, claims::optional_text(claims, "pre-authorized_code").map(|_| ()))?;
    Ok((token, issuer, expires))
}

/// A presentation, a credential or an access token of the same signer is not a self-issued token.
fn purpose(token: &Token) -> Result<(), String> {
    if let Some(typ) = token.header().typ.as_deref()
        && !typ.eq_ignore_ascii_case(SELF_ISSUED_TYP)
    {
        return Err(format!("its type is '{typ}', not '{SELF_ISSUED_TYP}'"));
    }
    let foreign = ["vp", "vc", "scope", "sub_jwk"];
    match foreign.iter().find(|&&name| token.claims_unverified().contains_key(name)) {
        Some(name) => Err(format!("it carries the claim '{name}', so it was made for another purpose")),
        None => Ok(()),
    }
}

fn issuer_and_subject(claims: &Map<String, Value>) -> Result<Did, String> {
    let issuer = claims::did(claims, "iss")?;
    let subject = claims::text(claims, "sub")?;
    if subject != issuer.as_str() {
        return Err(format!("'sub' is '{subject}', but 'iss' is '{issuer}': they must be equal"));
    }
    Ok(issuer)
}

/// A `kid` must be a DID URL of the signer itself, absolute or its fragment alone.
pub(crate) fn kid_of(token: &Token, signer: &Did) -> Result<(), String> {
    let Some(kid) = token.header().kid.as_deref().filter(|kid| !kid.starts_with('#')) else { return Ok(()) };
    let url = DidUrl::parse(kid).map_err(|error| format!("its key id '{kid}' is not a DID URL: {error}"))?;
    if url.did != *signer {
        return Err(format!("its key id '{kid}' does not belong to '{signer}'"));
    }
    Ok(())
}

impl Candidate {
    /// The DID whose document is needed next.
    #[must_use]
    pub const fn issuer(&self) -> &Did {
        &self.issuer
    }

    /// Judges key and signature by the DID document of [`Candidate::issuer`]. The key must be for
    /// `capabilityInvocation` (DCP 1.0 §4.3.3).
    ///
    /// # Errors
    /// The first check that fails, as a [`Refusal`] with [`Cause::SelfIssuedToken`]; when its
    /// [`Refusal::stale_documents`] is not empty, a fresh document may change the verdict.
    pub fn verify(mut self, document: &DidDocument) -> Result<SelfIssuedToken, Refusal> {
        match self.verify_signature(document) {
            Ok(()) => Ok(self.proved()),
            Err(stop) => Err(self.trace.refuse(Cause::SelfIssuedToken, stop)),
        }
    }

    fn verify_signature(&mut self, document: &DidDocument) -> Result<(), Stop> {
        let same = if document.id == self.issuer {
            Ok(())
        } else {
            Err(format!("the DID document is that of '{}', not of '{}'", document.id, self.issuer))
        };
        self.trace.check("token-document", SUBJECT, same)?;
        let signer = Signer {
            key_check: "token-key",
            signature_check: "token-signature",
            document,
            relationship: Relationship::CapabilityInvocation,
        };
        self.trace.signature(SUBJECT, &self.token, &signer, &self.rules).map(drop)
    }

    fn proved(self) -> SelfIssuedToken {
        let claims = self.token.claims_unverified();
        let owned = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        SelfIssuedToken {
            jti: owned("jti").unwrap_or_default(),
            access_token: owned("token"),
            pre_authorized_code: owned("pre-authorized_code"),
            participant: self.issuer,
            audience: self.audience,
            until: self.expires + self.rules.leeway,
            checks: self.trace.finish().0,
        }
    }
}

/// [`read`] and [`Candidate::verify`] in one step, for a caller that has the DID document already.
///
/// # Errors
/// As those two.
pub fn verify(
    text: &str,
    document: &DidDocument,
    audience: &Did,
    now: Timestamp,
    rules: &Rules,
) -> Result<SelfIssuedToken, Refusal> {
    read(text, audience, now, rules)?.verify(document)
}

/// A self-issued token that holds. Only [`Candidate::verify`] makes one.
///
/// It is not yet known to be used for the first time: record its [`SelfIssuedToken::replay_key`].
#[derive(Clone)]
pub struct SelfIssuedToken {
    participant: Did,
    audience: Did,
    jti: String,
    until: Timestamp,
    access_token: Option<String>,
    pre_authorized_code: Option<String>,
    checks: Vec<Check>,
}

impl fmt::Debug for SelfIssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfIssuedToken")
            .field("participant", &self.participant)
            .field("audience", &self.audience)
            .field("jti", &self.jti)
            .finish_non_exhaustive()
    }
}

impl SelfIssuedToken {
    /// Who proved itself.
    #[must_use]
    pub const fn participant(&self) -> &Did {
        &self.participant
    }

    /// To whom.
    #[must_use]
    pub const fn audience(&self) -> &Did {
        &self.audience
    }

    /// The access token that it hands over, opaque to a verifier.
    #[must_use]
    pub fn access_token(&self) -> Option<&str> {
        self.access_token.as_deref()
    }

    /// The access token, where one is needed: a verifier cannot ask for presentations without it.
    ///
    /// # Errors
    /// A [`Refusal`] with [`Cause::SelfIssuedToken`] when there is none.
    pub fn require_access_token(&self) -> Result<&str, Refusal> {
        self.access_token.as_deref().ok_or_else(|| {
            let stop =
                Stop { check: "token-access-token", detail: "the claim 'token' is missing".to_owned() };
            let mut checks = self.checks.clone();
            checks.push(Check::of(stop.check, SUBJECT, Err(&stop.detail)));
            Refusal::new(Cause::SelfIssuedToken, stop, checks, BTreeSet::new())
        })
    }

    /// The code of a pre-authorised issuance.
    #[must_use]
    pub fn pre_authorized_code(&self) -> Option<&str> {
        self.pre_authorized_code.as_deref()
    }

    /// What must not be seen a second time.
    #[must_use]
    pub fn replay_key(&self) -> ReplayKey {
        ReplayKey {
            audience: self.audience.clone(),
            issuer: self.participant.clone(),
            jti: self.jti.clone(),
            until: self.until,
        }
    }

    /// The checks that it passed, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}
