//! Calls of the service over HTTP.

use futures::StreamExt;
use heddle_outbound::{Authorization, Request};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::support::World;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// A call that was not made yet.
pub struct Call<'w> {
    world: &'w World,
    request: Request,
}

impl<'w> Call<'w> {
    pub fn new(world: &'w World, request: Request) -> Self {
        Self { world, request }
    }

    pub fn bearer(mut self, token: &str) -> Self {
        self.request = self.request.authorization(Authorization::bearer(token));
        self
    }

    pub fn authorization(mut self, value: &str) -> Self {
        self.request = self.request.authorization(Authorization::verbatim(value));
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body.to_string().into_bytes());
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a value");
        self.request = self.request.header(HeaderName::from_static(name), value);
        self
    }

    pub async fn send(self) -> Answer {
        let mut answer = self.world.outbound.stream(self.request).await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.next().await {
            bytes.extend_from_slice(&chunk.expect("the body arrives"));
        }
        Answer { status, headers, text: String::from_utf8(bytes).expect("text") }
    }
}
