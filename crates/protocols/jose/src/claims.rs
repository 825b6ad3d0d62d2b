//! Registered claims (RFC 7519 §4.1), read strictly.

use std::time::Duration;

use heddle_clock::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use serde_json::{Map, Number, Value};

use crate::JoseError;

/// The last second that a claim may name: the end of the year 9999.
const SECONDS_MAX: i64 = 253_402_300_799;
/// Most entries of an `aud` claim.
const AUDIENCES_MAX: usize = 32;
const NUMERIC_DATE: &str = "a number of seconds since 1970, not negative and before the year 10000";

/// The `aud` claim: one string or an array of strings. Written as a string when it has one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience(Vec<String>);

impl Audience {
    /// An audience of one.
    #[must_use]
    pub fn one(audience: impl Into<String>) -> Self {
        Self(vec![audience.into()])
    }

    /// Whether `audience` is among the entries, byte by byte.
    #[must_use]
    pub fn contains(&self, audience: &str) -> bool {
        self.0.iter().any(|entry| entry == audience)
    }

    /// Whether `audience` is the only entry.
    #[must_use]
    pub fn is_only(&self, audience: &str) -> bool {
        matches!(self.0.as_slice(), [entry] if entry == audience)
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The `aud` claim of a token; `None` when it has none.
    ///
    /// # Errors
    /// [`JoseError::Claim`] when it is neither a string nor an array of 1 to 32 strings.
    pub fn of(claims: &Map<String, Value>) -> Result<Option<Self>, JoseError> {
        let Some(value) = claims.get("aud") else { return Ok(None) };
        let shape =
            JoseError::Claim { name: "aud".to_owned(), expected: "a string or an array of 1 to 32 strings" };
        Self::from_value(value).ok_or(shape).map(Some)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let entries = match value {
            Value::String(one) => vec![one.clone()],
            Value::Array(many) => {
                many.iter().map(|entry| entry.as_str().map(str::to_owned)).collect::<Option<_>>()?
            }
            _ => return None,
        };
        (1..=AUDIENCES_MAX).contains(&entries.len()).then_some(Self(entries))
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value)
            .ok_or_else(|| de::Error::custom("expected a string or an array of 1 to 32 strings"))
    }
}

/// A `NumericDate`: seconds since 1970 on the wire, whole or with a fraction (kept to the millisecond).
/// Written as whole seconds, rounded down, so that a token never claims to be from the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(pub Timestamp);

impl NumericDate {
    fn from_number(number: &Number) -> Option<Self> {
        if let Some(seconds) = number.as_i64() {
            return (0..=SECONDS_MAX).contains(&seconds).then(|| Self(Timestamp::from_seconds(seconds)));
        }
        let seconds = number.as_f64().filter(|seconds| (0.0..=SECONDS_MAX as f64).contains(seconds))?;
        // In range of i64: the bound above is far below it.
        Some(Self(Timestamp::from_millis((seconds * 1000.0).floor() as i64)))
    }
}

impl Serialize for NumericDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_seconds().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        Self::from_number(&number).ok_or_else(|| de::Error::custom(NUMERIC_DATE))
    }
}

/// A claim that is a point in time; `None` when it is absent.
///
/// # Errors
/// [`JoseError::Claim`] for anything but a number from 0 to the end of the year 9999.
pub fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, JoseError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let date = value.as_number().and_then(NumericDate::from_number);
    let shape = || JoseError::Claim { name: name.to_owned(), expected: NUMERIC_DATE };
    date.ok_or_else(shape).map(|date| Some(date.0))
}

/// A claim that is a string; `None` when it is absent.
///
/// # Errors
/// [`JoseError::Claim`] when it is something other than a string.
pub fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, JoseError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JoseError::Claim { name: name.to_owned(), expected: "a string" }),
    }
}

/// Claims as a type.
///
/// # Errors
/// [`JoseError::Claim`] with the path of the claim, never its value.
pub fn read<T: DeserializeOwned>(claims: Map<String, Value>) -> Result<T, JoseError> {
    serde_path_to_error::deserialize(Value::Object(claims)).map_err(|error| {
        let path = error.path().to_string();
        // Of serde's messages this one names the member and nothing that came with it.
        let inner = error.inner().to_string();
        let name = match inner.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            Some(field) if path == "." => field.to_owned(),
            Some(field) => format!("{path}.{field}"),
            None => path,
        };
        JoseError::Claim { name, expected: "present and of the type that this kind of token has" }
    })
}

/// The claims that say when a token is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeClaims {
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `exp`.
    pub expires_at: Option<Timestamp>,
}

impl TimeClaims {
    /// Reads `iat`, `nbf` and `exp`.
    ///
    /// # Errors
    /// As [`time`].
    pub fn of(claims: &Map<String, Value>) -> Result<Self, JoseError> {
        Ok(Self {
            issued_at: time(claims, "iat")?,
            not_before: time(claims, "nbf")?,
            expires_at: time(claims, "exp")?,
        })
    }

    /// Whether the token is valid at `now`, give or take `leeway` for clocks that differ. Claims that are
    /// absent are not judged: the caller demands those that its kind of token must have.
    ///
    /// # Errors
    /// [`JoseError::Time`] when the token has expired (`now` must be *before* `exp`, RFC 7519 §4.1.4), is not
    /// valid yet, or was issued in the future.
    pub fn check(&self, now: Timestamp, leeway: Duration) -> Result<(), JoseError> {
        if self.expires_at.is_some_and(|expires_at| now >= expires_at + leeway) {
            return Err(JoseError::Time("it has expired"));
        }
        if self.not_before.is_some_and(|not_before| not_before > now + leeway) {
            return Err(JoseError::Time("its time has not come yet"));
        }
        if self.issued_at.is_some_and(|issued_at| issued_at > now + leeway) {
            return Err(JoseError::Time("it was issued in the future"));
        }
        Ok(())
    }
}
