//! Reading the claims that tokens and presentations share.

use heddle_clock::Timestamp;
use heddle_did::Did;
use heddle_jose::{Audience, TimeClaims};
use serde_json::{Map, Value};

use crate::{Rules, token::JTI_BYTES_MAX};

/// A claim that must be a text that is not empty.
pub(crate) fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    match claims.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(format!("the claim '{name}' must be a text that is not empty")),
        None => Err(format!("the claim '{name}' is missing")),
    }
}

/// A claim that may be absent, but otherwise must be a text that is not empty.
pub(crate) fn optional_text<'a>(
    claims: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, String> {
    if claims.contains_key(name) { text(claims, name).map(Some) } else { Ok(None) }
}

/// A claim that must be a DID.
pub(crate) fn did(claims: &Map<String, Value>, name: &str) -> Result<Did, String> {
    Did::parse(text(claims, name)?).map_err(|error| format!("the claim '{name}' is not a DID: {error}"))
}

/// `aud` must name this party and nobody else, compared byte by byte.
pub(crate) fn audience(claims: &Map<String, Value>, expected: &Did) -> Result<(), String> {
    match Audience::of(claims).map_err(|error| error.to_string())? {
        None => Err("the claim 'aud' is missing".to_owned()),
        Some(audience) if audience.is_only(expected.as_str()) => Ok(()),
        Some(_) => Err(format!("the claim 'aud' must be '{expected}' alone")),
    }
}

/// `jti` must be there and of reasonable length.
pub(crate) fn jti(claims: &Map<String, Value>) -> Result<&str, String> {
    let jti = text(claims, "jti")?;
    if jti.len() > JTI_BYTES_MAX {
        return Err(format!("the claim 'jti' has more than {JTI_BYTES_MAX} bytes"));
    }
    Ok(jti)
}

/// `exp` and `iat` must be there and hold, `nbf` when it is there. Returns `exp`.
pub(crate) fn times(claims: &Map<String, Value>, now: Timestamp, rules: &Rules) -> Result<Timestamp, String> {
    let times = TimeClaims::of(claims).map_err(|error| error.to_string())?;
    let expires = times.expires_at.ok_or("the claim 'exp' is missing")?;
    let issued = times.issued_at.ok_or("the claim 'iat' is missing")?;
    times
        .check(now, rules.leeway)
        .map_err(|error| format!("{error} (issued at {issued}, expires at {expires}, now {now})"))?;
    if expires <= issued || times.not_before.is_some_and(|start| start >= expires) {
        return Err(format!("it expires at {expires}, not after it was issued or becomes valid"));
    }
    let lifetime = expires.since(issued);
    if lifetime > rules.lifetime_max {
        let (lifetime, most) = (lifetime.as_secs(), rules.lifetime_max.as_secs());
        return Err(format!("it is meant to live for {lifetime} s, more than {most} s"));
    }
    Ok(expires)
}
