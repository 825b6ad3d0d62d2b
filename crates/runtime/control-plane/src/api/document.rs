//! Bodies: JSON-LD documents, brought into one shape and read as plain structs.

use axum::{
    body::HttpBody,
    extract::{FromRequest, Request},
};
use heddle_jsonld::management;
use heddle_web::{Idempotency, IdempotentJson, Json, Kind, Management, Refused, Rejection};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A body of the Management API: which types of documents it may be.
pub(super) trait Described: DeserializeOwned {
    /// The short names of `@type`.
    const TYPES: &'static [&'static str];
}

/// A document.
pub(super) struct Document<T>(pub(super) T);

/// A document that makes something, with the `Idempotency-Key` of its request.
pub(super) struct Creation<T>(pub(super) T, pub(super) Idempotency);

/// A document that may be left out; then everything is as by default.
pub(super) struct OptionalDocument<T>(pub(super) T);

impl<T: Described, S: Send + Sync> FromRequest<S> for Document<T> {
    type Rejection = Refused<Management>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused<Management>> {
        let Json(document, ..) = Json::<Value, Management>::from_request(request, state).await?;
        Ok(Self(read(document)?))
    }
}

impl<T: Described, S: Send + Sync> FromRequest<S> for Creation<T> {
    type Rejection = Refused<Management>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused<Management>> {
        let IdempotentJson(document, idempotency, ..) =
            IdempotentJson::<Value, Management>::from_request(request, state).await?;
        Ok(Self(read(document)?, idempotency))
    }
}

impl<T: Described + Default, S: Send + Sync> FromRequest<S> for OptionalDocument<T> {
    type Rejection = Refused<Management>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused<Management>> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Document::from_request(request, state).await.map(|Document(value)| Self(value))
    }
}

/// Reads a document; its `@type` is kept as member `@type` for structs that want it.
pub(super) fn read<T: Described>(document: Value) -> Result<T, Rejection> {
    let document = management::normalise(document)
        .map_err(|error| Rejection::invalid(error.pointer.clone(), error.to_string()))?;
    match document.get("@type").and_then(Value::as_str) {
        Some(kind) if T::TYPES.contains(&kind) => {}
        Some(kind) => {
            let message = format!("JsonObject type '{kind}' does not match expected types: {:?}", T::TYPES);
            return Err(Rejection::new(Kind::Malformed, message));
        }
        None => {
            return Err(Rejection::new(Kind::Malformed, "JsonObject is missing required property: @type"));
        }
    }
    // As text once more: the one reader whose errors are JSON pointers reads text.
    heddle_web::parse(document.to_string().as_bytes())
}
