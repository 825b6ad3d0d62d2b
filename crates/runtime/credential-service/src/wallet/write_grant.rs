//! The write grant: what goes out in the `token` claim with a credential request, and must come back with the
//! delivery (DCP 1.0 §6.4). Opaque to the issuer; to us a token of our own, so that nothing has to be kept.

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_did::Did;
use heddle_ids::HolderPid;
use heddle_jose::{Header, JoseError, JwkSet, TimeClaims, Token, Unsigned};
use serde::{Deserialize, Serialize};

use crate::signing::SigningKey;

/// `typ` of a write grant: no other token of the holder's key passes as one, nor the other way round.
const TYP: &str = "dcp-write+jwt";
/// How long an issuer may take, people who decide included.
const LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// How far the clocks of our own replicas may differ.
const LEEWAY: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    holder_pid: HolderPid,
    iat: i64,
    exp: i64,
}

/// The grant for one issuer to answer one request, to be signed with `key`.
pub(crate) fn unsigned(
    key: &SigningKey,
    issuer: &Did,
    holder_pid: &HolderPid,
    now: Timestamp,
) -> Result<Unsigned, JoseError> {
    let claims = Claims {
        iss: key.did.to_string(),
        aud: key.did.to_string(),
        sub: issuer.to_string(),
        holder_pid: holder_pid.clone(),
        iat: now.as_seconds(),
        exp: (now + LIFETIME).as_seconds(),
    };
    Unsigned::new(Header::jwt(key.algorithm, key.kid.as_str()).with_typ(TYP), &claims)
}

/// Whether `text` is the grant of `holder` for `issuer` to answer `holder_pid`. `keys` are the holder's own.
pub(crate) fn verify(
    text: &str,
    keys: &JwkSet,
    (holder, issuer, holder_pid): (&Did, &Did, &HolderPid),
    now: Timestamp,
) -> Result<(), &'static str> {
    let token = Token::parse(text).map_err(|_| "it is no token")?;
    if token.header().typ.as_deref() != Some(TYP) {
        return Err("it is of another type");
    }
    let kid = token.header().kid.as_deref().ok_or("it names no key")?;
    let key = keys.find(Some(kid)).ok_or("its key is not the holder's")?;
    let verified = token.verify(key).map_err(|_| "its signature does not fit")?;
    let times = TimeClaims::of(verified.claims()).map_err(|_| "its times cannot be read")?;
    times.check(now, LEEWAY).map_err(|_| "it is not valid now")?;
    let claims: Claims = verified.into_claims().map_err(|_| "its claims cannot be read")?;
    let own = claims.iss == holder.as_str() && claims.aud == holder.as_str();
    if !own || claims.sub != issuer.as_str() || claims.holder_pid != *holder_pid {
        return Err("it is for somebody else or for another request");
    }
    Ok(())
}
