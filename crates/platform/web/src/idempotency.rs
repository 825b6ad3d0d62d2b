//! `Idempotency-Key`: a creating request that is repeated gets the first answer again.
//!
//! The answer is stored in the commit that does what was asked, per principal and key, and replayed for a day. The
//! same key with another request is a mistake of the client (422).
//!
//! # How a handler uses it
//!
//! ```ignore
//! async fn create(…, IdempotentJson(request, idempotency, ..): IdempotentJson<NewThing, Management>) -> … {
//!     let mut transaction = store.begin(&scope);
//!     if let Some(earlier) = idempotency.earlier(&mut transaction, &principal.key()).await? {
//!         return Ok(earlier);
//!     }
//!     // …decide, insert, enqueue, emit…
//!     let reply = Reply::json(StatusCode::OK, &body);
//!     Ok(idempotency.conclude((&store, &scope), transaction, &principal.key(), reply).await?)
//! }
//! ```

use std::{marker::PhantomData, time::Duration};

use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_store::{Aggregate, Answer, AnswerKey, Store, StoreError, Transaction};
use heddle_tenancy::Scope;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ring::digest::{Context, SHA256};
use serde::{Serialize, de::DeserializeOwned};

use crate::{ErrorBody, Kind, Refused, Rejection, body, json};

/// How long an answer is replayed.
pub const ANSWER_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// The header that marks a replayed answer.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// The key of a request, if it has one, and what tells it from another request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    key: Option<String>,
    request: String,
}

/// A JSON object as body, parsed, with the [`Idempotency`] of its request.
#[derive(Debug)]
pub struct IdempotentJson<T, E>(pub T, pub Idempotency, pub PhantomData<fn() -> E>);

/// An answer that can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// An answer with a JSON body.
    ///
    /// # Panics
    /// When `body` does not serialise to JSON, which is a defect of its type.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("a reply serialises");
        let media_type = (header::CONTENT_TYPE.to_string(), "application/json".to_owned());
        Self { status, headers: vec![media_type], body }
    }

    /// With this header.
    #[must_use]
    pub fn with_header(mut self, name: &HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name.to_string(), value.into()));
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let headers = self.headers.iter().filter_map(|(name, value)| {
            Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
        });
        let headers: HeaderMap = headers.collect();
        (self.status, headers, self.body).into_response()
    }
}

impl Idempotency {
    /// Of a request with these headers, method, path and body.
    pub fn of(headers: &HeaderMap, method: &str, path: &str, body: &[u8]) -> Result<Self, Rejection> {
        let malformed = || {
            let what =
                format!("Idempotency-Key is given once, with 1 to {KEY_BYTES_MAX} visible ASCII characters.");
            Rejection::new(Kind::Malformed, what)
        };
        let mut values = headers.get_all(KEY).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => Some(value.to_str().map_err(|_| malformed())?.to_owned()),
            (Some(_), Some(_)) => return Err(malformed()),
        };
        let legal = |text: &String| {
            (1..=KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        if !key.as_ref().is_none_or(legal) {
            return Err(malformed());
        }
        let mut digest = Context::new(&SHA256);
        for part in [method.as_bytes(), path.as_bytes(), body] {
            digest.update(&(part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Ok(Self { key, request: URL_SAFE_NO_PAD.encode(digest.finish()) })
    }

    /// The client's key, if it sent one. For creations whose owner does not exist before: their id follows from it.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The answer that the same request got before.
    ///
    /// # Errors
    /// 422 when the key came with another request before.
    pub async fn earlier(
        &self,
        transaction: &mut Transaction<'_>,
        principal: &str,
    ) -> Result<Option<Response>, Rejection> {
        let Some(key) = &self.key else { return Ok(None) };
        match transaction.remembered(&AnswerKey::new(principal, key)).await? {
            None => Ok(None),
            Some(answer) if answer.request == self.request => Ok(Some(replay(answer))),
            Some(_) => Err(Rejection::new(
                Kind::Unprocessable,
                "This Idempotency-Key came with another request before; use a new one for a new request.",
            )),
        }
    }

    /// Stores `reply` with everything else that the transaction does, and gives it. Of two requests with one key at the
    /// same moment one has its effect, and both get its answer.
    ///
    /// # Errors
    /// Those of the commit; `Duplicate` is about what the caller inserted, never about the answer.
    pub async fn conclude(
        &self,
        (store, scope): (&Store, &dyn Scope),
        mut transaction: Transaction<'_>,
        principal: &str,
        reply: Reply,
    ) -> Result<Response, StoreError> {
        let Some(key) = &self.key else {
            transaction.commit().await?;
            return Ok(reply.into_response());
        };
        let key = AnswerKey::new(principal, key);
        let parts = (reply.status.as_u16(), reply.headers.clone(), reply.body.clone());
        let expires_at = transaction.now() + ANSWER_LIFETIME;
        let answer = Answer::new(&key, self.request.clone(), parts, expires_at);
        match transaction.load::<Answer>(key.as_str()).await? {
            // Out of date, and nobody has swept it away yet; a fresh one cannot be here, `earlier` would have told.
            Some(expired) if expired.expires_at <= transaction.now() => transaction.save(&expired, &answer),
            _ => transaction.remember(&answer),
        }
        match transaction.commit().await {
            Ok(()) => Ok(reply.into_response()),
            Err(error @ (StoreError::Duplicate { .. } | StoreError::Stale { .. })) => {
                // Either the same request was faster, and then its answer is there, or something else is taken.
                let answer = store.begin(scope).remembered(&key).await?;
                let ours = answer.filter(|answer| answer.request == self.request);
                match ours {
                    Some(answer) => Ok(replay(answer)),
                    None if is_answer(&error) => {
                        Err(StoreError::Stale { kind: Answer::KIND.to_owned(), id: key.as_str().to_owned() })
                    }
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }
}

fn is_answer(error: &StoreError) -> bool {
    matches!(error, StoreError::Duplicate { kind, .. } if kind == Answer::KIND)
}

fn replay(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    Reply { status, headers: answer.headers, body: answer.body }
        .with_header(&REPLAYED, "true")
        .into_response()
}

impl<T, E, S> FromRequest<S> for IdempotentJson<T, E>
where
    T: DeserializeOwned,
    E: ErrorBody,
    S: Send + Sync,
{
    type Rejection = Refused<E>;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused<E>> {
        let (headers, method) = (request.headers().clone(), request.method().clone());
        let path = request.extensions().get::<axum::extract::OriginalUri>().map(|uri| uri.path().to_owned());
        let path = path.unwrap_or_else(|| request.uri().path().to_owned());
        let text = body::json_text(request).await?;
        let idempotency = Idempotency::of(&headers, method.as_str(), &path, &text)?;
        Ok(Self(json::object(&text)?, idempotency, PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &'static str, body: &str) -> Result<Idempotency, Rejection> {
        let headers = HeaderMap::from_iter([(KEY, HeaderValue::from_static(key))]);
        Idempotency::of(&headers, "POST", "/things", body.as_bytes())
    }

    #[test]
    fn another_body_is_another_request() {
        assert_eq!(of("a", "{}"), of("a", "{}"));
        assert_ne!(of("a", "{}").expect("legal").request, of("a", "{ }").expect("legal").request);
        assert!(of("", "{}").is_err() && of("two words", "{}").is_err());
        assert!(Idempotency::of(&HeaderMap::new(), "POST", "/", b"").expect("legal").key.is_none());
        let twice: HeaderMap = ["a", "a"].iter().map(|key| (KEY, HeaderValue::from_static(key))).collect();
        assert!(Idempotency::of(&twice, "POST", "/", b"").is_err());
    }
}
