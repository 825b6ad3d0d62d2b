//! First answers, kept so that a repeated request gets the same one (`Idempotency-Key`).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::{Aggregate, Columns};

/// Who repeats what: a principal and the key that it chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerKey(String);

impl AnswerKey {
    /// Keys of different principals never meet.
    #[must_use]
    pub fn new(principal: &str, idempotency_key: &str) -> Self {
        let text = format!("{}:{principal}{idempotency_key}", principal.len());
        Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes())))
    }

    /// The id of the stored answer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first answer to a creating request, stored in the commit that did what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    id: String,
    /// Digest of the request: another request under the same key is a mistake of the client.
    pub request: String,
    /// The status code.
    pub status: u16,
    /// Headers that belong to the answer, such as `Location`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// After this time it may be forgotten.
    pub expires_at: Timestamp,
}

impl Answer {
    /// An answer to remember under `key`.
    #[must_use]
    pub fn new(
        key: &AnswerKey,
        request: String,
        (status, headers, body): (u16, Vec<(String, String)>, String),
        expires_at: Timestamp,
    ) -> Self {
        Self { id: key.0.clone(), request, status, headers, body, expires_at }
    }
}

impl Aggregate for Answer {
    const KIND: &'static str = "answer";

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Columns {
        Columns { due_at: Some(self.expires_at), ..Columns::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_do_not_share_keys() {
        assert_eq!(AnswerKey::new("a", "bc"), AnswerKey::new("a", "bc"));
        assert_ne!(AnswerKey::new("a", "bc"), AnswerKey::new("ab", "c"));
    }
}
