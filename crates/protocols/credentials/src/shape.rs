//! Reading members of JSON objects: lenient about one or many, never about type.

use heddle_clock::Timestamp;
use serde_json::{Map, Value};

use crate::{CredentialError, error::member};

pub(crate) type Object = Map<String, Value>;

/// Most entries of any array that is read.
pub(crate) const ENTRIES_MAX: usize = 64;

/// An optional text; null counts as absent.
pub(crate) fn text<'a>(object: &'a Object, name: &str, at: &str) -> Result<Option<&'a str>, CredentialError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(member(format!("{at}/{name}"), "a string")),
    }
}

/// A text that must be there.
pub(crate) fn required<'a>(object: &'a Object, name: &str, at: &str) -> Result<&'a str, CredentialError> {
    text(object, name, at)?.ok_or_else(|| member(format!("{at}/{name}"), "a string"))
}

/// One value or an array of them; absent and null are none.
pub(crate) fn many<'a>(object: &'a Object, name: &str, at: &str) -> Result<&'a [Value], CredentialError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) if entries.len() > ENTRIES_MAX => {
            Err(member(format!("{at}/{name}"), "an array of at most 64 entries"))
        }
        Some(Value::Array(entries)) => Ok(entries),
        Some(single) => Ok(std::slice::from_ref(single)),
    }
}

/// One text or an array of them.
pub(crate) fn texts(object: &Object, name: &str, at: &str) -> Result<Vec<String>, CredentialError> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let all: Option<Vec<String>> = many(object, name, at)?.iter().map(text).collect();
    all.ok_or_else(|| member(format!("{at}/{name}"), "a string or an array of strings"))
}

/// One object or an array of them.
pub(crate) fn objects<'a>(
    object: &'a Object,
    name: &str,
    at: &str,
) -> Result<Vec<&'a Object>, CredentialError> {
    let all: Option<Vec<&Object>> = many(object, name, at)?.iter().map(Value::as_object).collect();
    all.ok_or_else(|| member(format!("{at}/{name}"), "an object or an array of objects"))
}

/// A text, or the `id` of an object.
pub(crate) fn identifier(object: &Object, name: &str, at: &str) -> Result<Option<String>, CredentialError> {
    match object.get(name) {
        Some(Value::Object(inner)) => {
            let at = format!("{at}/{name}");
            required(inner, "id", &at).map(|id| Some(id.to_owned()))
        }
        _ => Ok(text(object, name, at)?.map(str::to_owned)),
    }
}

/// A point in time (`xsd:dateTime` with an offset); null counts as absent.
pub(crate) fn time(object: &Object, name: &str, at: &str) -> Result<Option<Timestamp>, CredentialError> {
    let Some(text) = text(object, name, at)? else { return Ok(None) };
    let wrong = |_| member(format!("{at}/{name}"), "a time with an offset, such as 2026-01-31T12:00:00Z");
    Timestamp::parse_rfc3339(text).map_err(wrong).map(Some)
}
