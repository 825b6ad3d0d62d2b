//! Reading the claims that tokens and presentations share.

use heddle_clock::Timestamp;
use heddle_did::Did;
use heddle_jose::claims::NumericDate;
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
pub(crate) fn optional_text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    if claims.contains_key(name) { text(claims, name).map(Some) } else { Ok(None) }
}

/// A claim that must be a DID.
pub(crate) fn did(claims: &Map<String, Value>, name: &str) -> Result<Did, String> {
    Did::parse(text(claims, name)?).map_err(|error| format!("the claim '{name}' is not a DID: {error}"))
}

/// `aud` must name this party and nobody else, compared byte by byte.
pub(crate) fn audience(claims: &Map<String, Value>, expected: &Did) -> Result<(), String> {
    let named = match claims.get("aud") {
        None => return Err("the claim 'aud' is missing".to_owned()),
        Some(Value::String(one)) => Some(one.as_str()),
        Some(Value::Array(entries)) if entries.len() == 1 => entries[0].as_str(),
        Some(_) => None,
    };
    match named {
        Some(named) if named == expected.as_str() => Ok(()),
        _ => Err(format!("the claim 'aud' must be '{expected}' alone")),
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

fn instant(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, String> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    NumericDate::read(value).map(Some).map_err(|error| format!("the claim '{name}' is not a time: {error}"))
}

/// `exp` and `iat` must be there and hold, `nbf` when it is there. Returns `exp`.
pub(crate) fn times(claims: &Map<String, Value>, now: Timestamp, rules: &Rules) -> Result<Timestamp, String> {
    let missing = |name: &str| format!("the claim '{name}' is missing");
    let expires = instant(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    let issued = instant(claims, "iat")?.ok_or_else(|| missing("iat"))?;
    let not_before = instant(claims, "nbf")?;
    if now >= expires + rules.leeway {
        return Err(format!("it expired at {expires}; now it is {now}"));
    }
    if issued > now + rules.leeway {
        return Err(format!("it was issued at {issued}, which is in the future; now it is {now}"));
    }
    if expires <= issued {
        return Err(format!("it expires at {expires}, not after it was issued at {issued}"));
    }
    if expires.since(issued) > rules.lifetime_max {
        let most = rules.lifetime_max.as_secs();
        return Err(format!("it is meant to live for {} s, more than {most} s", expires.since(issued).as_secs()));
    }
    match not_before {
        Some(start) if start > now + rules.leeway => Err(format!("it is not valid before {start}; now it is {now}")),
        Some(start) if start >= expires => Err(format!("it begins at {start}, not before its end at {expires}")),
        _ => Ok(expires),
    }
}
