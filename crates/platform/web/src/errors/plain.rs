//! The error body of paths that belong to no specification of their own: a problem object (RFC 9457).

use axum::response::Response;
use http::{HeaderValue, header};
use serde::Serialize;

use crate::{ErrorBody, Rejection, reply};

/// The problem object, without a `type` (which then means `about:blank`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlainProblem {
    /// The text of the status.
    pub title: &'static str,
    /// The status.
    pub status: u16,
    /// What is wrong, and what was expected.
    pub detail: String,
}

/// Says no with a problem object. For health, versions, and paths that nobody serves.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl ErrorBody for Plain {
    fn respond(rejection: Rejection) -> Response {
        let status = rejection.status();
        let title = status.canonical_reason().unwrap_or("Error");
        let mut response =
            reply(status, &PlainProblem { title, status: status.as_u16(), detail: rejection.message });
        let media_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        response
    }
}
