//! Transfers: parties begin and steer them; what opens a flow, and what comes when it is used.

use heddle::demo::{
    content::Digest,
    management::{criterion, typed},
};
use heddle_outbound::{Authorization, Request, StreamingResponse};
use serde_json::json;

use crate::{
    Party,
    answer::{beginning_of_answer_to, whole},
};

impl Party {
    /// Transfers under an agreement; gives the transfer when data may flow. `step` names it within the story.
    pub async fn transfer(&self, provider: &Self, step: &str, agreement: &str) -> String {
        let mut consumer = self.towards(provider).await;
        let step = format!("{}-{step}", self.organisation.name);
        consumer.transfer(&step, agreement).await.expect("the transfer starts").0
    }

    /// What opens a transfer that flows to it.
    pub async fn key(&self, transfer: &str) -> Key {
        let edr = self.client.get(&format!("{}/edr", self.flow(transfer))).await.expect("data may flow");
        let text = |name: &str| edr[name].as_str().expect("the reference is whole").to_owned();
        Key { endpoint: text("endpoint"), token: text("authorization") }
    }

    /// The path of one of its flows.
    pub fn flow(&self, transfer: &str) -> String {
        format!("/api/dataplane/v1/participants/{}/flows/{transfer}", self.organisation.context)
    }

    /// Its own transfer that is the counterpart of `peers`, another party's.
    pub async fn counterpart(&self, peers: &str) -> String {
        let found = self.found("transferprocesses", &[criterion("correlationId", peers)]).await;
        assert_eq!(found.len(), 1, "one transfer is the counterpart of {peers}: {found:?}");
        found[0]["@id"].as_str().expect("an id").to_owned()
    }

    /// `suspend`, `resume` or `terminate` for a transfer, by the Management API.
    pub async fn steer(&self, command: &str, transfer: &str) {
        let path = format!("{}/transferprocesses/{transfer}/{command}", self.organisation.management());
        let kind = format!("{}{}Transfer", command[..1].to_uppercase(), &command[1..]);
        let body = typed(&kind, json!({"reason": format!("{command}, as a test")}));
        self.client.query(&path, &body).await.unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}

/// What opens a flow: where its data is, and the token that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The address of the data.
    pub endpoint: String,
    /// The token.
    pub token: String,
}

/// What a request for data came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Bytes, with this digest.
    Bytes(String),
    /// A refusal: the status, and what the body says.
    Refused(u16, String),
}

impl Key {
    /// Opens the flow; the bytes wait to be read.
    pub async fn open(&self) -> StreamingResponse {
        self.open_with(Some(&format!("Bearer {}", self.token))).await
    }

    /// The status of the answer to whoever asks for the data.
    pub async fn status(&self) -> u16 {
        self.open().await.status().as_u16()
    }

    /// Fetches with the key as it is.
    pub async fn fetch(&self) -> Fetched {
        Fetched::read(self.open().await).await
    }

    /// Fetches from the same address with another `Authorization`, or none.
    pub async fn fetch_with(&self, authorization: Option<&str>) -> Fetched {
        Fetched::read(self.open_with(authorization).await).await
    }

    async fn open_with(&self, authorization: Option<&str>) -> StreamingResponse {
        let request = Request::get(&self.endpoint).accept("*/*");
        beginning_of_answer_to(match authorization {
            Some(value) => request.authorization(Authorization::verbatim(value)),
            None => request,
        })
        .await
    }
}

impl Fetched {
    async fn read(response: StreamingResponse) -> Self {
        let status = response.status();
        let bytes = whole(response).await;
        if status.is_success() {
            let digest = Digest::new();
            digest.add(&bytes);
            Self::Bytes(digest.result().0)
        } else {
            Self::Refused(status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}
