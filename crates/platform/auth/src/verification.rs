//! Checks of access tokens (RFC 7519, RFC 9068), and a memory of those that passed.
//!
//! A signature costs a hundred microseconds, and clients use one token for minutes. A verdict is remembered
//! under the SHA-256 of the token, until it expires, and holds only as long as the key that it was reached with
//! is still the issuer's key of that name: rotating or revoking a key voids it.

use std::{fmt, sync::Arc, time::Duration};

use heddle_clock::Environment;
use heddle_jose::{Audience, JoseError, Jwk, TimeClaims, Token, VerifiedToken};
use moka::sync::Cache;
use ring::digest::{SHA256, digest};

use crate::{Principal, Unauthenticated, principal::PrincipalClaims};

mod issuer;
mod jwks_url;

pub use issuer::{AudienceRule, KeySource, KeysUnavailable, StaticKeys, TrustedIssuer};
pub use jwks_url::JwksUrl;

/// Largest access token that is read, in bytes.
const BEARER_BYTES_MAX: usize = 16 * 1024;
/// Most verdicts that are remembered.
const VERDICTS_MAX: u64 = 16_384;
/// How far clocks may differ.
pub(crate) const LEEWAY: Duration = Duration::from_secs(5);
/// Types of access tokens: RFC 9068 §2.1, and what issuers wrote before it.
const TYPES: [&str; 3] = ["at+jwt", "application/at+jwt", "JWT"];

type Fingerprint = [u8; 32];

/// A token that passed.
struct Verdict {
    principal: Principal,
    times: TimeClaims,
    /// Index of the issuer.
    issuer: usize,
    kid: Option<String>,
    key: Jwk,
}

/// Verifies access tokens of trusted issuers.
pub(crate) struct TokenVerifier {
    issuers: Vec<TrustedIssuer>,
    environment: Environment,
    verdicts: Cache<Fingerprint, Arc<Verdict>>,
}

impl TokenVerifier {
    pub(crate) fn new(issuers: Vec<TrustedIssuer>, environment: Environment) -> Self {
        Self { issuers, environment, verdicts: Cache::new(VERDICTS_MAX) }
    }

    pub(crate) async fn verify(&self, bearer: &str) -> Result<Principal, Unauthenticated> {
        let fingerprint = fingerprint(bearer);
        if let Some(verdict) = self.verdicts.get(&fingerprint) {
            verdict.times.check(self.environment.now(), LEEWAY)?;
            let current = self.issuers[verdict.issuer].keys.key(verdict.kid.as_deref()).await?;
            if current.as_ref() == Some(&verdict.key) {
                return Ok(verdict.principal.clone());
            }
            self.verdicts.invalidate(&fingerprint);
        }
        let verdict = self.check(bearer).await?;
        let principal = verdict.principal.clone();
        self.verdicts.insert(fingerprint, Arc::new(verdict));
        Ok(principal)
    }

    async fn check(&self, bearer: &str) -> Result<Verdict, Unauthenticated> {
        let token = Token::parse_bounded(bearer, BEARER_BYTES_MAX)?;
        let (index, issuer) = self.issuer_of(&token)?;
        check_type(&token)?;
        let kid = token.header().kid.clone();
        let key = issuer.keys.key(kid.as_deref()).await?.ok_or(Unauthenticated::Key)?;
        let verified = token.verify(&key)?;
        let times = TimeClaims::of(verified.claims())?;
        let expires_at = times.expires_at.ok_or_else(|| claim("exp", "present"))?;
        times.check(self.environment.now(), LEEWAY)?;
        check_audience(&verified, &issuer.audience)?;
        let claims: PrincipalClaims = verified.into_claims()?;
        let principal = Principal::new(&issuer.name, claims, issuer.subject, expires_at);
        Ok(Verdict { principal, times, issuer: index, kid, key })
    }

    /// The issuer that the token names. It decides which key to check with, and is believed no further.
    fn issuer_of(&self, token: &Token) -> Result<(usize, &TrustedIssuer), Unauthenticated> {
        let name = heddle_jose::claims::text(token.claims_unverified(), "iss")?;
        let found = self.issuers.iter().enumerate().find(|(_, issuer)| Some(issuer.name.as_str()) == name);
        found.ok_or(Unauthenticated::Issuer)
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifier").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}

fn check_type(token: &Token) -> Result<(), Unauthenticated> {
    let typ = token.header().typ.as_deref();
    let legal = typ.is_none_or(|typ| TYPES.iter().any(|legal| legal.eq_ignore_ascii_case(typ)));
    if legal { Ok(()) } else { Err(Unauthenticated::Type) }
}

fn check_audience(token: &VerifiedToken, rule: &AudienceRule) -> Result<(), Unauthenticated> {
    let audience = Audience::of(token.claims())?;
    match rule {
        AudienceRule::Unchecked => Ok(()),
        AudienceRule::Contains(own) => {
            let meant = audience.is_some_and(|audience| audience.contains(own));
            if meant { Ok(()) } else { Err(Unauthenticated::Audience) }
        }
    }
}

fn claim(name: &str, expected: &'static str) -> JoseError {
    JoseError::Claim { name: name.to_owned(), expected }
}

fn fingerprint(token: &str) -> Fingerprint {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
