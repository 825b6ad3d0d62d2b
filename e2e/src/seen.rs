//! Answers as they came, byte by byte: two that must not be told apart are compared whole.

use std::collections::BTreeMap;

use heddle_outbound::Request;

use crate::answer::{beginning_of_answer_to, whole};

/// Headers that differ between two answers to one question.
const PASSING: [&str; 2] = ["date", "x-request-id"];

/// An answer, as whoever asked has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its status.
    pub status: u16,
    /// Its headers, but those that differ between two answers to one question.
    pub headers: BTreeMap<String, String>,
    /// Its body; of an answer that is no refusal it is not read, for it may never end.
    pub body: String,
}

impl Seen {
    /// The answer to a request that nobody signs and nobody repeats.
    pub async fn of(request: Request) -> Self {
        let response = beginning_of_answer_to(request).await;
        let status = response.status().as_u16();
        let headers = response.headers().iter().filter(|(name, _)| !PASSING.contains(&name.as_str()));
        let headers = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = if status < 300 {
            String::new()
        } else {
            String::from_utf8_lossy(&whole(response).await).into_owned()
        };
        Self { status, headers, body }
    }

    /// The same with `from` replaced by `to` in the body: an answer may repeat the id that was asked for.
    #[must_use]
    pub fn renamed(&self, from: &str, to: &str) -> Self {
        let mut renamed = Self { body: self.body.replace(from, to), ..self.clone() };
        // It counts the letters of what was renamed.
        renamed.headers.remove("content-length");
        renamed
    }
}
