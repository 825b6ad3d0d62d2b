//! What the governance body has verified about one holder. It may be written before the holder is registered.

use heddle_clock::Timestamp;
use heddle_ids::{AttestationId, HolderId};
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AttestationRecord {
    key: String,
    pub(crate) attestation: AttestationId,
    pub(crate) holder: HolderId,
    pub(crate) claims: Map<String, Value>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

/// The id of a record. The length in front keeps two pairs from having one id.
pub(crate) fn record_key(attestation: &AttestationId, holder: &HolderId) -> String {
    format!("{}:{attestation}{holder}", attestation.as_str().len())
}

impl AttestationRecord {
    /// A record of what is known now.
    pub(crate) fn new(
        attestation: AttestationId,
        holder: HolderId,
        claims: Map<String, Value>,
        now: Timestamp,
    ) -> Self {
        let key = record_key(&attestation, &holder);
        Self { key, attestation, holder, claims, created_at: now, modified_at: now }
    }

    /// The same record, in place of one that was first written at `created_at`.
    pub(crate) fn since(self, created_at: Timestamp) -> Self {
        Self { created_at, ..self }
    }
}

impl Aggregate for AttestationRecord {
    const KIND: &'static str = "attestation-record";

    fn id(&self) -> &str {
        &self.key
    }

    fn columns(&self) -> Columns {
        Columns { reference: Some(self.attestation.to_string()), ..Columns::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_join_to_the_same_text_have_different_keys() {
        let key = |a: &str, h: &str| {
            record_key(&AttestationId::parse(a).expect("legal"), &HolderId::parse(h).expect("legal"))
        };
        assert_ne!(key("ab", "c"), key("a", "bc"));
        assert_ne!(key("1", ":x"), key("1:", "x"));
    }
}
