//! The access token: a holder's grant to one verifier to read credentials within scopes.
//!
//! The holder's token service mints it into a self-issued token, the verifier copies it back unread, and the
//! holder's credential service judges it here. So issuer and audience are both the holder (DCP 1.0 leaves the
//! form to the holder).

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_credentials::Check;
use heddle_did::Did;
use heddle_jose::{Algorithm, Header, JoseError, JwkSet, Token, Unsigned, VerifiedToken};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ACCESS_TOKEN_TYP, ReplayKey, SelfIssuedToken};
use crate::{
    Cause, Refusal, Rules, Scope, claims,
    trace::{Stop, Trace},
};

/// The subject that the checks of an access token name.
const SUBJECT: &str = "access token";

/// What an access token is to grant.
#[derive(Debug, Clone)]
pub struct AccessTokenDraft<'a> {
    /// Whose credentials may be read; also the issuer.
    pub holder: &'a Did,
    /// Who may read them, a DID.
    pub verifier: &'a str,
    /// Which ones.
    pub scopes: &'a [Scope],
    /// Unique text, at most [`super::JTI_BYTES_MAX`].
    pub jti: &'a str,
    /// The time of issue.
    pub now: Timestamp,
    /// How long it is valid.
    pub lifetime: Duration,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    scope: String,
    jti: &'a str,
    iat: i64,
    exp: i64,
}

impl AccessTokenDraft<'_> {
    /// The token without its signature. `kid` is the DID URL of the key that will sign.
    ///
    /// # Errors
    /// When header or claims cannot be written.
    pub fn unsigned(&self, kid: &str, alg: Algorithm) -> Result<Unsigned, JoseError> {
        let scopes: Vec<String> = self.scopes.iter().map(Scope::to_string).collect();
        let claims = Claims {
            iss: self.holder.as_str(),
            aud: self.holder.as_str(),
            sub: self.verifier,
            scope: scopes.join(" "),
            jti: self.jti,
            iat: self.now.as_seconds(),
            exp: (self.now + self.lifetime).as_seconds(),
        };
        Unsigned::new(Header::jwt(alg, kid).with_typ(ACCESS_TOKEN_TYP), &claims)
    }
}

/// An access token that holds, for the verifier who brought it. Only [`verify`] makes one.
#[derive(Debug, Clone)]
pub struct AccessToken {
    verifier: Did,
    scopes: Vec<Scope>,
    replay_key: ReplayKey,
    checks: Vec<Check>,
}

/// Judges the access token that `bearer` hands over to the holder, who is the audience of `bearer`.
///
/// `keys` are the holder's own keys that may sign access tokens now, each with its `kid`: a key of another
/// participant, a revoked one, or one for another use must not be among them.
///
/// # Errors
/// The first check that fails, as a [`Refusal`] with [`Cause::AccessToken`] (or [`Cause::SelfIssuedToken`]
/// when `bearer` carries none).
pub fn verify(
    bearer: &SelfIssuedToken,
    keys: &JwkSet,
    now: Timestamp,
    rules: &Rules,
) -> Result<AccessToken, Refusal> {
    let text = bearer.require_access_token()?;
    let mut trace = Trace::after(bearer.checks());
    match read(&mut trace, text, bearer, keys, (now, rules)) {
        Ok((scopes, replay_key)) => Ok(AccessToken {
            verifier: bearer.participant().clone(),
            scopes,
            replay_key,
            checks: trace.finish().0,
        }),
        Err(stop) => Err(trace.refuse(Cause::AccessToken, stop)),
    }
}

fn read(
    trace: &mut Trace,
    text: &str,
    bearer: &SelfIssuedToken,
    keys: &JwkSet,
    (now, rules): (Timestamp, &Rules),
) -> Result<(Vec<Scope>, ReplayKey), Stop> {
    let holder = bearer.audience();
    let token = trace.check("access-token-form", SUBJECT, Token::parse(text))?;
    trace.check("access-token-purpose", SUBJECT, purpose(&token))?;
    let verified = trace.check("access-token-signature", SUBJECT, signature(&token, keys))?;
    let claims = verified.claims();
    trace.check("access-token-issuer", SUBJECT, names(claims, "iss", holder))?;
    trace.check("access-token-audience", SUBJECT, claims::audience(claims, holder))?;
    trace.check("access-token-bearer", SUBJECT, names(claims, "sub", bearer.participant()))?;
    let expires = trace.check("access-token-time", SUBJECT, claims::times(claims, now, rules))?;
    let jti = trace.check("access-token-id", SUBJECT, claims::jti(claims))?;
    let scopes = trace.check("access-token-scope", SUBJECT, scopes(claims))?;
    let key = ReplayKey {
        audience: holder.clone(),
        issuer: holder.clone(),
        jti: jti.to_owned(),
        until: expires + rules.leeway,
    };
    Ok((scopes, key))
}

/// The type that only access tokens have: everything else that the holder's key has signed is refused.
fn purpose(token: &Token) -> Result<(), String> {
    match token.header().typ.as_deref() {
        Some(ACCESS_TOKEN_TYP) => Ok(()),
        _ => Err(format!("it is not of the type '{ACCESS_TOKEN_TYP}'")),
    }
}

fn signature(token: &Token, keys: &JwkSet) -> Result<VerifiedToken, String> {
    let kid = token.header().kid.as_deref().ok_or("it does not name its key")?;
    let key = keys.find(Some(kid)).ok_or("its key is none that the holder signs access tokens with")?;
    token.verify(key).map_err(|error| error.to_string())
}

fn names(claims: &Map<String, Value>, name: &str, expected: &Did) -> Result<(), String> {
    if claims::text(claims, name)? == expected.as_str() {
        return Ok(());
    }
    Err(format!("the claim '{name}' must be '{expected}'"))
}

fn scopes(claims: &Map<String, Value>) -> Result<Vec<Scope>, String> {
    let text = claims::text(claims, "scope")?;
    text.split(' ').map(|scope| Scope::parse(scope).map_err(|error| error.to_string())).collect()
}

impl AccessToken {
    /// Who may read.
    #[must_use]
    pub const fn verifier(&self) -> &Did {
        &self.verifier
    }

    /// What may be read.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// What must not be seen again once it has served. Record it together with the answer: a token whose
    /// request was refused may be used for a corrected one.
    #[must_use]
    pub const fn replay_key(&self) -> &ReplayKey {
        &self.replay_key
    }

    /// The checks of the self-issued token and of this one, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}
