//! Single requests, sent once, whose answer is looked at whole, whatever its status.

use std::{collections::BTreeMap, sync::LazyLock};

use futures::StreamExt;
use heddle::demo::{Client, client};
use heddle_clock::Environment;
use heddle_outbound::{Outbound, Request, StreamingResponse};
use serde_json::Value;

/// Nobody's client: what it sends carries what the test gives it.
static STRANGER: LazyLock<Outbound> = LazyLock::new(|| outbound(&Environment::system()));

/// An HTTP client that may talk to servers of tests.
pub(crate) fn outbound(environment: &Environment) -> Outbound {
    client::outbound(environment).expect("the settings are right")
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, but those that differ between two answers to one question.
    pub headers: BTreeMap<String, String>,
    /// Its body; JSON if it is that, else text.
    pub body: Value,
}

impl Answer {
    async fn read(response: StreamingResponse) -> Self {
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter(|(name, _)| *name != http::header::DATE && *name != "x-request-id");
        let headers = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let bytes = whole(response).await;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Self { status, headers, body }
    }

    /// Of a server to `POST` of JSON by a client of its.
    pub(crate) async fn to_post(client: &Client, path: &str, body: &Value) -> Self {
        let url = format!("{}{path}", client.base());
        let response = client.stream(|| Request::post(url.clone()).json_of(body)).await;
        Self::read(response.expect("an answer comes")).await
    }
}

/// The answer to a request that nobody signs and nobody repeats.
pub async fn answer_to(request: Request) -> Answer {
    Answer::read(beginning_of_answer_to(request).await).await
}

/// As [`answer_to`], before its body has come.
pub(crate) async fn beginning_of_answer_to(request: Request) -> StreamingResponse {
    STRANGER.stream(request).await.unwrap_or_else(|error| panic!("there is no answer: {error}"))
}

/// All bytes of a body.
pub(crate) async fn whole(mut response: StreamingResponse) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.next().await {
        bytes.extend_from_slice(&chunk.expect("the answer arrives whole"));
    }
    bytes
}
