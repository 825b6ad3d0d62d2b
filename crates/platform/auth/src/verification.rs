//! Checks of access tokens (RFC 7519, RFC 9068), and a memory of those that passed.
//!
//! A signature costs a hundred microseconds, and clients use one token for minutes. A verdict is remembered
//! under the SHA-256 of the token, until it expires, and holds only as long as the key that it was reached with
//! is still the issuer's key of that name: rotating or revoking a key voids it.

use std::{fmt, sync::Arc};

use heddle_clock::Environment;
use heddle_jose::{Audience, JoseError, Jwk, TimeClaims, Token, VerifiedToken};
use moka::sync::Cache;
use ring::digest::{SHA256, digest};

use crate::{Principal, Unauthenticated};
use standing::Given;

mod claims;
mod discovery;
mod issuer;
mod jwks_url;
mod limits;
pub(crate) mod standing;

pub use claims::ClaimNames;
pub use issuer::{AudienceRule, KeySource, KeysUnavailable, StaticKeys, TrustedIssuer};
pub use jwks_url::JwksUrl;
pub use limits::{IssuerLimits, Owners};

/// Largest access token that is read, in bytes.
const BEARER_BYTES_MAX: usize = 16 * 1024;
/// Most verdicts that are remembered.
const VERDICTS_MAX: u64 = 16_384;
/// Types of access tokens: RFC 9068 §2.1, and what issuers wrote before it.
const TYPES: [&str; 3] = ["at+jwt", "application/at+jwt", "JWT"];

/// What tokens that are no access tokens say in their payload.
const NO_ACCESS: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];
/// The claim of our own tokens that tells for which of a client's secrets it was given.
pub(crate) const CLIENT_MARK: &str = "client_mark";

type Fingerprint = [u8; 32];

/// A token that passed.
struct Verdict {
    principal: Principal,
    times: TimeClaims,
    given: Given,
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
        let verdict = self.verdict(bearer).await?;
        if let Some(standing) = &self.issuers[verdict.issuer].standing {
            standing.check(&verdict.principal, &verdict.given).await?;
        }
        Ok(verdict.principal.clone())
    }

    async fn verdict(&self, bearer: &str) -> Result<Arc<Verdict>, Unauthenticated> {
        let fingerprint = fingerprint(bearer);
        if let Some(verdict) = self.verdicts.get(&fingerprint) {
            let issuer = &self.issuers[verdict.issuer];
            verdict.times.check(self.environment.now(), issuer.leeway)?;
            let current = issuer.keys.key(verdict.kid.as_deref()).await?;
            if current.as_ref() == Some(&verdict.key) {
                self.count("hit");
                return Ok(verdict);
            }
            self.verdicts.invalidate(&fingerprint);
        }
        let verdict = Arc::new(self.check(bearer).await?);
        self.verdicts.insert(fingerprint, verdict.clone());
        self.count("miss");
        Ok(verdict)
    }

    #[expect(clippy::cast_precision_loss, reason = "no cache has that many entries")]
    fn count(&self, outcome: &'static str) {
        const CACHE: (&str, &str) = ("cache", "access-tokens");
        metrics::counter!("heddle_cache_requests_total", CACHE.0 => CACHE.1, "outcome" => outcome)
            .increment(1);
        if outcome == "miss" {
            metrics::gauge!("heddle_cache_entries", CACHE.0 => CACHE.1)
                .set(self.verdicts.entry_count() as f64);
        }
    }

    /// Whose keys cannot be had at this moment: each issuer that is troubled, with the reason.
    pub(crate) async fn troubled_issuers(&self) -> Vec<String> {
        let mut troubled = Vec::new();
        for issuer in &self.issuers {
            if let Err(error) = issuer.keys.key(None).await {
                troubled.push(format!("{}: {error}", issuer.name));
            }
        }
        troubled
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
        times.check(self.environment.now(), issuer.leeway)?;
        check_audience(&verified, &issuer.audience)?;
        let mark = heddle_jose::claims::text(verified.claims(), CLIENT_MARK)?.map(str::to_owned);
        let given = Given { issued_at: times.issued_at, mark };
        let claims = issuer.claims.read(verified.claims())?;
        let principal = Principal::new(issuer, claims, expires_at)?;
        Ok(Verdict { principal, times, given, issuer: index, kid, key })
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
    // Keycloak says in the payload what a token is, and in the header that it is a JWT.
    let inner = token.claims_unverified().get("typ").and_then(serde_json::Value::as_str);
    if legal && inner.is_none_or(|typ| !NO_ACCESS.contains(&typ)) {
        Ok(())
    } else {
        Err(Unauthenticated::Type)
    }
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
