//! Why a request was refused, before any surface has put it in its own words.

use std::time::Duration;

use heddle_store::StoreError;
use http::StatusCode;

use crate::request_id;

/// After which time a database without room may have some.
const FULL_WAIT: Duration = Duration::from_secs(30);

/// What kind of refusal; it decides the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A dependency answered badly (502).
    BadGateway,
    /// It contradicts what is stored (409).
    Conflict,
    /// There is no room left to store it in (507).
    Full,
    /// Known, but not allowed (403).
    Forbidden,
    /// Our own defect (500).
    Internal,
    /// It cannot be parsed (400).
    Malformed,
    /// The path exists, but not for this method (405).
    MethodNotAllowed,
    /// There is no such thing, or none for the caller (404).
    NotFound,
    /// The body did not arrive in time (408).
    Slow,
    /// The body is too large (413).
    TooLarge,
    /// The caller has had its share (429).
    TooMany,
    /// It was parsed, and is not valid (400).
    Invalid,
    /// Nobody knows who asks (401).
    Unauthorized,
    /// Too busy, or a part of us is missing (503).
    Unavailable,
    /// It is legal and cannot be done (422).
    Unprocessable,
    /// We do not do that (501).
    Unsupported,
    /// The body has another media type than JSON (415).
    WrongMediaType,
}

impl Kind {
    /// The status that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Malformed | Self::Invalid => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unsupported => StatusCode::NOT_IMPLEMENTED,
            Self::WrongMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// A refusal. Its message is shown to the caller: no secrets, nothing of our inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// What kind.
    pub kind: Kind,
    /// A sentence that says what is wrong and what was expected.
    pub message: String,
    /// Where in the body, as a JSON pointer (RFC 6901); the empty pointer is the whole body.
    pub pointer: Option<String>,
    /// After which time to try again.
    pub retry_after: Option<Duration>,
}

impl Rejection {
    /// A refusal with a message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), pointer: None, retry_after: None }
    }

    /// Something at `pointer` of the body is not valid.
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), ..Self::new(Kind::Invalid, message) }
    }

    /// Too busy for a moment: try again after `wait`.
    pub fn unavailable(message: impl Into<String>, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(Kind::Unavailable, message) }
    }

    /// Our own defect. `cause` is logged, with the trace of the request; the caller learns only the trace.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(component = "web", action = "fail", %cause, "a request failed for a reason of our own");
        Self::new(Kind::Internal, internal_message())
    }

    /// The status that goes with it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.kind.status()
    }
}

pub(crate) fn internal_message() -> String {
    let trace = heddle_telemetry::trace::current().map(|trace| format!("the trace {}", trace.trace_id()));
    let request = request_id::current().map(|id| format!("the request {}", id.as_str()));
    let quoted: Vec<String> = trace.into_iter().chain(request).collect();
    match quoted.as_slice() {
        [] => "An internal error happened.".to_owned(),
        quoted => format!("An internal error happened. Quote {} to the operator.", quoted.join(" and ")),
    }
}

/// For store errors that a handler has no better answer to.
impl From<StoreError> for Rejection {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::TooBroad { .. } => Self::new(Kind::Malformed, error.to_string()),
            StoreError::Duplicate { .. } => Self::new(Kind::Conflict, error.to_string()),
            StoreError::Stale { .. } => Self::unavailable(error.to_string(), Duration::from_secs(1)),
            StoreError::Unavailable { reason } => {
                tracing::error!(component = "web", action = "fail", reason, "the database is not available");
                Self::unavailable("The database is not available at the moment.", Duration::from_secs(1))
            }
            StoreError::Full { .. } => {
                tracing::error!(component = "web", action = "fail", %error, "nothing can be stored");
                let message = "Nothing can be stored: the database has no room left. Tell the operator to make room, \
                               and try again then.";
                Self { retry_after: Some(FULL_WAIT), ..Self::new(Kind::Full, message) }
            }
            StoreError::Damaged { .. } => {
                tracing::error!(component = "web", action = "fail", %error, "the database is damaged");
                let message =
                    "The database is damaged. The operator has to restore it; trying again does not help.";
                Self::new(Kind::Unavailable, message)
            }
            StoreError::LeaseLost { .. } | StoreError::Unreadable { .. } | StoreError::Unusable { .. } => {
                Self::internal(&error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_says_stays_inside() {
        let rejection = Rejection::from(StoreError::Unavailable { reason: "10.0.0.7 refused".to_owned() });
        assert_eq!(rejection.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(rejection.retry_after.is_some());
        assert!(!rejection.message.contains("10.0.0.7"), "{}", rejection.message);
        for (error, status) in [
            (StoreError::Full { reason: "/secret/place".to_owned() }, StatusCode::INSUFFICIENT_STORAGE),
            (StoreError::Damaged { reason: "/secret/place".to_owned() }, StatusCode::SERVICE_UNAVAILABLE),
        ] {
            let rejection = Rejection::from(error);
            assert_eq!(rejection.status(), status);
            assert!(!rejection.message.contains("/secret/place"), "{}", rejection.message);
            assert!(rejection.message.contains("operator"), "{}", rejection.message);
        }
        let rejection = Rejection::from(StoreError::Unusable { reason: "table x".to_owned() });
        assert_eq!(rejection.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!rejection.message.contains("table x"), "{}", rejection.message);
    }
}
