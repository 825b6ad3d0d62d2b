//! Single requests whose answer is looked at whole, whatever its status: as a peer, and at the Management API.

use std::collections::BTreeMap;

use futures::StreamExt;
use heddle::demo::{Client, onboarding::Organisation};
use heddle_clock::Environment;
use heddle_outbound::{Authorization, Outbound, Request, StreamingResponse};
use http::Method;
use serde_json::Value;

use crate::dataspace::outbound;

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
    async fn read(mut response: StreamingResponse) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().iter().filter(|(name, _)| *name != http::header::DATE);
        let headers = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.next().await {
            bytes.extend_from_slice(&chunk.expect("the answer arrives"));
        }
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Self { status, headers, body }
    }
}

/// `POST` of JSON to an Administration API.
pub async fn post(client: &Client, path: &str, body: &Value) -> Answer {
    let url = format!("{}{path}", client.base());
    let response = client.stream(|| Request::post(url.clone()).json_of(body)).await;
    Answer::read(response.expect("an answer comes")).await
}

/// An organisation that speaks to others by itself, with self-issued tokens of its token service.
pub struct Peer<'a> {
    organisation: &'a Organisation,
    outbound: Outbound,
}

impl<'a> Peer<'a> {
    /// The organisation.
    pub fn new(organisation: &'a Organisation) -> Self {
        Self { organisation, outbound: outbound(&Environment::system()) }
    }

    /// A request to an endpoint of `other`, under its dataspace profile, granting `scopes` to it.
    pub async fn ask(
        &self,
        other: &Organisation,
        (method, path, body): (Method, &str, Option<&Value>),
        scopes: &str,
    ) -> Answer {
        let token = self.token(&other.did, scopes).await;
        let request = Request::new(method, format!("{}{path}", other.protocol()));
        let request = request.authorization(Authorization::bearer(&token));
        let request = body.into_iter().fold(request, |request, body| request.json_of(body));
        Answer::read(self.outbound.stream(request).await.expect("an answer comes")).await
    }

    /// A self-issued token for `audience`; each is good for one request.
    async fn token(&self, audience: &str, scopes: &str) -> String {
        let Organisation { server, client_id, client_secret, .. } = self.organisation;
        let request = Request::post(format!("{server}/api/sts/token")).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", client_secret),
            ("audience", audience),
            ("bearer_access_scope", scopes),
        ]);
        let answer = self.outbound.send(request).await.expect("the token service answers");
        let answer: Value = answer.json().expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}
