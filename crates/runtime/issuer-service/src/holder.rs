//! Holders: the participants that an issuer knows.

use heddle_clock::Timestamp;
use heddle_did::Did;
use heddle_ids::HolderId;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The aggregate. Its DID is the counter-party: a holder sees itself and nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) id: HolderId,
    pub(crate) did: Did,
    pub(crate) name: Option<String>,
    /// What the attestation type `holder` says about it.
    #[serde(default)]
    pub(crate) properties: Map<String, Value>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

impl Aggregate for Holder {
    const KIND: &'static str = "holder";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        let did = self.did.to_string();
        Columns { counter_party: Some(did.clone()), unique_key: Some(did), ..Columns::default() }
    }
}
