//! Bodies that wait until it is known who asks.

use std::{convert::Infallible, marker::PhantomData};

use axum::extract::{FromRequest, Request};

/// A body, or a query, that its handler reads when it says so: for handlers that find out themselves whether the caller may ask, since
/// an extractor such as [`crate::Json`] would complain of the body before anybody has been asked for a token.
///
/// `B` is the extractor that reads it.
pub struct Unread<B>(Request, PhantomData<fn() -> B>);

impl<B, S: Send + Sync> FromRequest<S> for Unread<B> {
    type Rejection = Infallible;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(request, PhantomData))
    }
}

impl<B> Unread<B> {
    /// Reads it.
    ///
    /// # Errors
    /// Those of `B`.
    pub async fn read<M>(self) -> Result<B, B::Rejection>
    where
        B: FromRequest<(), M>,
    {
        B::from_request(self.0, &()).await
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, routing::post};
    use http::{Request, StatusCode};
    use tower::ServiceExt;

    use super::*;
    use crate::{Json, Kind, Plain, Refused, Rejection};

    async fn handler(
        headers: http::HeaderMap,
        body: Unread<Json<serde_json::Map<String, serde_json::Value>, Plain>>,
    ) -> Result<String, Refused<Plain>> {
        if !headers.contains_key("authorization") {
            return Err(Rejection::new(Kind::Unauthorized, "Who are you?").into());
        }
        let Json(members, ..) = body.read().await?;
        Ok(format!("{}", members.len()))
    }

    async fn status(authorized: bool, body: &'static str) -> StatusCode {
        let request = Request::post("/").header("content-type", "application/json");
        let request = if authorized { request.header("authorization", "x") } else { request };
        let router = Router::new().route("/", post(handler));
        router.oneshot(request.body(Body::from(body)).expect("a request")).await.expect("infallible").status()
    }

    #[tokio::test]
    async fn a_body_is_not_complained_of_to_somebody_who_may_not_ask() {
        assert_eq!(status(false, "no JSON").await, StatusCode::UNAUTHORIZED);
        assert_eq!(status(true, "no JSON").await, StatusCode::BAD_REQUEST);
        assert_eq!(status(true, "{}").await, StatusCode::OK);
    }
}
