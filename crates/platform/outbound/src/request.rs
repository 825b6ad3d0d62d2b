//! What to send.

use std::{error::Error, fmt, time::Duration};

use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{Authorization, Lane};

/// The body of a request.
#[derive(Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// JSON text (`application/json`).
    Json(Vec<u8>),
    /// A form (`application/x-www-form-urlencoded`), encoded.
    Form(Vec<u8>),
    /// Bytes as they come, pulled only as fast as the peer takes them.
    Stream {
        /// The bytes.
        bytes: BoxStream<'static, Result<Bytes, Box<dyn Error + Send + Sync>>>,
        /// How many there will be, if that is known; otherwise they go out in chunks.
        length: Option<u64>,
    },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Json(text) => write!(f, "Json({} bytes)", text.len()),
            Self::Form(text) => write!(f, "Form({} bytes)", text.len()),
            Self::Stream { length, .. } => write!(f, "Stream({length:?})"),
        }
    }
}

/// A request: a method, a URL, and what goes along. Its `Debug` shows neither bodies nor header values.
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) authorization: Option<Authorization>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) body_bytes_max: Option<usize>,
    pub(crate) redirects_max: u8,
    pub(crate) lane: Option<Lane>,
}

impl Request {
    /// A request without a body. Accepts JSON unless told otherwise.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        let accept = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(http::header::ACCEPT, accept)]);
        Self {
            method,
            url: url.into(),
            headers,
            body: Body::Empty,
            authorization: None,
            idempotency_key: None,
            timeout: None,
            body_bytes_max: None,
            redirects_max: 0,
            lane: None,
        }
    }

    /// A `GET`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `POST`.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::POST, url)
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// With this JSON text as body.
    #[must_use]
    pub fn json(self, text: Vec<u8>) -> Self {
        self.body(Body::Json(text))
    }

    /// With `value` as JSON body.
    ///
    /// # Panics
    /// When `value` does not serialise to JSON, which is a defect of its type.
    #[must_use]
    pub fn json_of(self, value: &impl serde::Serialize) -> Self {
        self.json(serde_json::to_vec(value).expect("a message serialises"))
    }

    /// With these fields as form.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body(Body::Form(text.into_bytes()))
    }

    /// With this proof.
    #[must_use]
    pub fn authorization(mut self, authorization: Authorization) -> Self {
        self.authorization = Some(authorization);
        self
    }

    /// With this header, in place of one of the same name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// With this `Idempotency-Key`.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Accepting this media type.
    #[must_use]
    pub fn accept(self, media_type: &'static str) -> Self {
        self.header(http::header::ACCEPT, HeaderValue::from_static(media_type))
    }

    /// With this time in place of the client's `request_timeout`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Following this many redirects, if it reads (`GET`, `HEAD`) and has no body; none unless said. Every hop is
    /// checked like the first one, none leads from `https` to `http`, and another origin sees neither the proof nor
    /// any header but `Accept`.
    #[must_use]
    pub fn redirects_max(mut self, redirects_max: u8) -> Self {
        self.redirects_max = redirects_max;
        self
    }

    /// In this lane. Unless said, what carries a proof is a message, and what does not is looked up.
    #[must_use]
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = Some(lane);
        self
    }

    /// The same, once more at another place; without a body. One redirect fewer is left.
    pub(crate) fn to_go_on(&self) -> Self {
        Self {
            method: self.method.clone(),
            url: String::new(),
            headers: self.headers.clone(),
            body: Body::Empty,
            authorization: self.authorization.clone(),
            idempotency_key: None,
            timeout: self.timeout,
            body_bytes_max: self.body_bytes_max,
            redirects_max: self.redirects_max.wrapping_sub(1),
            lane: self.lane,
        }
    }

    /// Without anything that was meant for another host.
    pub(crate) fn for_strangers(mut self) -> Self {
        let accept = self.headers.remove(http::header::ACCEPT);
        self.headers = accept.into_iter().map(|value| (http::header::ACCEPT, value)).collect();
        self.authorization = None;
        self
    }

    /// With this bound on the answer's body, in bytes, in place of the client's `body_bytes_max`. It holds for
    /// [`crate::Outbound::send`], not for streams.
    #[must_use]
    pub fn body_bytes_max(mut self, body_bytes_max: usize) -> Self {
        self.body_bytes_max = Some(body_bytes_max);
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = url::Url::parse(&self.url)
            .map_or_else(|_| "malformed".to_owned(), |url| crate::excerpt::shown(&url));
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &url)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
