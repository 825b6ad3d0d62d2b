//! The error body of the Management API and its sisters (identity, issuer): a JSON array.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::{ErrorBody, Kind, Rejection, reply};

/// One element of the array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// What is wrong, and what was expected.
    pub message: String,
    /// The kind, such as `ObjectNotFound` or `ValidationFailure`.
    pub r#type: String,
    /// Where in the request: a JSON pointer, or `null`.
    pub path: Option<String>,
    /// The value that is not valid, as text, or `null`.
    pub invalid_value: Option<String>,
}

/// The whole answer: a status and at least one error. For one refusal, [`Management`] is enough; this type is
/// for validation that finds several faults at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiErrors {
    /// The status.
    pub status: StatusCode,
    /// The errors.
    pub errors: Vec<ApiError>,
}

impl IntoResponse for ApiErrors {
    fn into_response(self) -> Response {
        reply(self.status, &self.errors)
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let r#type = type_of(rejection.kind).to_owned();
        Self { message: rejection.message, r#type, path: rejection.pointer, invalid_value: None }
    }
}

/// Says no as the Management API does: `[{"message", "type", "path", "invalidValue"}]`, on 401 and 403 too.
#[derive(Debug, Clone, Copy)]
pub struct Management;

impl ErrorBody for Management {
    fn respond(rejection: Rejection) -> Response {
        ApiErrors { status: rejection.status(), errors: vec![rejection.into()] }.into_response()
    }
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::BadGateway => "BadGateway",
        Kind::Conflict => "ObjectConflict",
        Kind::Full => "InsufficientStorage",
        Kind::Forbidden => "NotAuthorized",
        Kind::Internal => "InternalError",
        Kind::Invalid => "ValidationFailure",
        Kind::NotFound => "ObjectNotFound",
        Kind::TooMany => "TooManyRequests",
        Kind::Unauthorized => "AuthenticationFailed",
        Kind::Unavailable => "ServiceUnavailable",
        Kind::Unsupported => "NotSupported",
        Kind::Malformed
        | Kind::MethodNotAllowed
        | Kind::Slow
        | Kind::TooLarge
        | Kind::Unprocessable
        | Kind::WrongMediaType => "InvalidRequest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_has_all_four_members() {
        let error = ApiError::from(Rejection::new(Kind::NotFound, "Asset x was not found"));
        let text = serde_json::to_string(&error).expect("serialises");
        assert_eq!(
            text,
            r#"{"message":"Asset x was not found","type":"ObjectNotFound","path":null,"invalidValue":null}"#
        );
        let error = ApiError::from(Rejection::invalid("/a/0", "expected text"));
        assert_eq!((error.r#type.as_str(), error.path.as_deref()), ("ValidationFailure", Some("/a/0")));
    }
}
