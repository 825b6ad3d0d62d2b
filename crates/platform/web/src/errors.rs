//! How surfaces say no.

mod fabric;
mod management;
mod plain;

use std::{fmt, marker::PhantomData};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{Kind, Rejection};

pub use fabric::{Fabric, FabricError};
pub use management::{ApiError, ApiErrors, Management};
pub use plain::{Plain, PlainProblem};

/// The error body of one surface.
pub trait ErrorBody: Send + Sync + 'static {
    /// The answer that tells a refusal in the surface's own words, with the refusal's status unless the
    /// surface's specification wants another. `Retry-After` and `WWW-Authenticate` are added by the caller.
    fn respond(rejection: Rejection) -> Response;
}

/// A refusal on its way to become the answer of the surface `E`. Handlers return it; `?` makes it from a
/// [`Rejection`] or a [`heddle_store::StoreError`].
pub struct Refused<E> {
    rejection: Rejection,
    surface: PhantomData<fn() -> E>,
}

impl<E> Refused<E> {
    /// The refusal.
    pub fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}

impl<E> fmt::Debug for Refused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rejection.fmt(f)
    }
}

impl<E> From<Rejection> for Refused<E> {
    fn from(rejection: Rejection) -> Self {
        Self { rejection, surface: PhantomData }
    }
}

impl<E> From<heddle_store::StoreError> for Refused<E> {
    fn from(error: heddle_store::StoreError) -> Self {
        Rejection::from(error).into()
    }
}

impl<E: ErrorBody> IntoResponse for Refused<E> {
    fn into_response(self) -> Response {
        let (kind, retry_after) = (self.rejection.kind, self.rejection.retry_after);
        let mut response = E::respond(self.rejection);
        if let Some(wait) = retry_after {
            // Rounded up: nobody should come back too early.
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
        }
        if kind == Kind::Unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// An answer with a JSON body.
///
/// # Panics
/// When `body` does not serialise to JSON, which is a defect of its type; the surface turns that into its 500.
pub fn reply(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_vec(body).expect("a reply serialises");
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}
