//! Answers: documents with their context, lists of such documents, and what both have in common.

use axum::response::{IntoResponse, Response};
use heddle_clock::Timestamp;
use heddle_jsonld::management::CONTEXT;
use heddle_store::StoreError;
use heddle_web::{Kind, Management, Refused, Rejection, Reply};
use http::StatusCode;
use serde::Serialize;

/// What a handler gives.
pub(super) type Outcome = Result<Response, Refused<Management>>;

/// A document, as elements of lists are: each with its own context.
#[derive(Debug, Serialize)]
pub(super) struct Shown<T> {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(flatten)]
    body: T,
}

impl<T> Shown<T> {
    /// A document of type `kind`.
    pub(super) const fn new(kind: &'static str, body: T) -> Self {
        Self { context: [CONTEXT], kind, body }
    }
}

/// The answer to a creation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IdResponse<'a> {
    #[serde(rename = "@id")]
    id: &'a str,
    created_at: i64,
}

/// 200 with a document or a list.
pub(super) fn ok(body: &impl Serialize) -> Response {
    heddle_web::reply(StatusCode::OK, body)
}

/// 204.
pub(super) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// 200 with the id of what was made.
pub(super) fn created(id: &str, at: Timestamp) -> Reply {
    let body = IdResponse { id, created_at: at.as_millis() };
    Reply::json(StatusCode::OK, &Shown::new("IdResponse", body))
}

/// There is no such thing, or none of this participant.
pub(super) fn not_found(kind: &str, id: &str) -> Rejection {
    Rejection::new(Kind::NotFound, format!("Object of type {kind} with ID={id} was not found"))
}

/// There is such a thing already; any other error stays as it is.
pub(super) fn taken(kind: &'static str, id: &str) -> impl Fn(StoreError) -> Rejection {
    let message = format!("Object of type {kind} with ID={id} already exists");
    move |error| match error {
        StoreError::Duplicate { .. } => Rejection::new(Kind::Conflict, message.clone()),
        other => other.into(),
    }
}

/// Something stands against it.
pub(super) fn conflict(message: impl Into<String>) -> Rejection {
    Rejection::new(Kind::Conflict, message)
}

/// The id in a body and the one in the path must not contradict each other.
pub(super) fn same_id(path: &str, body: Option<&str>) -> Result<(), Rejection> {
    match body {
        Some(id) if id != path => {
            Err(Rejection::invalid("/@id", format!("The path names '{path}', the document '{id}'.")))
        }
        _ => Ok(()),
    }
}
