//! Extractors whose refusals speak the surface's language.
//!
//! Each has a type parameter `E: ErrorBody`, the surface. A pattern leaves it out: `Json(body, ..): Json<T, Dsp>`.

use std::{fmt, marker::PhantomData};

use axum::{
    RequestPartsExt,
    extract::{FromRequest, FromRequestParts, Request},
};
use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::{ErrorBody, Kind, Refused, Rejection, body, json};

/// A JSON object as body, parsed.
pub struct Json<T, E>(pub T, pub PhantomData<fn() -> E>);

impl<T, E, S> FromRequest<S> for Json<T, E>
where
    T: DeserializeOwned,
    E: ErrorBody,
    S: Send + Sync,
{
    type Rejection = Refused<E>;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused<E>> {
        let text = body::json_text(request).await?;
        Ok(Self(json::object(&text)?, PhantomData))
    }
}

/// A JSON body as text: its media type, size, encoding and depth are checked, its shape is not. For protocols
/// that parse for themselves.
pub struct JsonBytes<E>(pub Bytes, pub PhantomData<fn() -> E>);

impl<E, S> FromRequest<S> for JsonBytes<E>
where
    E: ErrorBody,
    S: Send + Sync,
{
    type Rejection = Refused<E>;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused<E>> {
        let text = body::json_text(request).await?;
        json::check(&text)?;
        Ok(Self(text, PhantomData))
    }
}

/// Parameters of the path. One that cannot be parsed (an empty or overlong identifier) is answered as if there
/// were no such path.
pub struct Path<T, E>(pub T, pub PhantomData<fn() -> E>);

impl<T, E, S> FromRequestParts<S> for Path<T, E>
where
    T: DeserializeOwned + Send + 'static,
    E: ErrorBody,
    S: Send + Sync,
{
    type Rejection = Refused<E>;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused<E>> {
        match parts.extract::<axum::extract::Path<T>>().await {
            Ok(axum::extract::Path(value)) => Ok(Self(value, PhantomData)),
            Err(_) => Err(Rejection::new(Kind::NotFound, "There is nothing at this path.").into()),
        }
    }
}

/// Parameters of the query.
pub struct Query<T, E>(pub T, pub PhantomData<fn() -> E>);

impl<T, E, S> FromRequestParts<S> for Query<T, E>
where
    T: DeserializeOwned,
    E: ErrorBody,
    S: Send + Sync,
{
    type Rejection = Refused<E>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused<E>> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value, PhantomData)),
            Err(error) => Err(Rejection::new(Kind::Malformed, format!("{}.", error.body_text())).into()),
        }
    }
}

impl<E> fmt::Debug for JsonBytes<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonBytes({} bytes)", self.0.len())
    }
}

macro_rules! debug {
    ($($name:ident),*) => {$(
        impl<T: fmt::Debug, E> fmt::Debug for $name<T, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    )*};
}

debug!(Json, Path, Query);
