//! What opens a flow, and what comes when it is used.

use heddle::demo::content::Digest;
use heddle_outbound::{Authorization, Request, StreamingResponse};

use crate::answer::{beginning_of_answer_to, whole};

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
