//! An issuer's offer of credentials, kept for its owner to look at (DCP 1.0 §6.6).

use heddle_clock::{Environment, Timestamp};
use heddle_dcp::wire::{CredentialObject, CredentialOfferMessage};
use heddle_did::Did;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

/// Most offers of one issuer that are kept; further ones are turned away until the owner has cleared some.
pub(crate) const OFFERS_PER_ISSUER_MAX: u64 = 100;
/// Most offers that are kept altogether: issuers cost nothing.
pub(crate) const OFFERS_MAX: u64 = 1000;

/// The aggregate. Nothing follows from an offer by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CredentialOffer {
    pub(crate) id: String,
    pub(crate) issuer_did: Did,
    pub(crate) credentials: Vec<CredentialObject>,
    pub(crate) received_at: Timestamp,
}

impl CredentialOffer {
    /// An offer as it came.
    pub(crate) fn new(message: CredentialOfferMessage, issuer_did: Did, environment: &Environment) -> Self {
        let (id, received_at) = (environment.uuid(), environment.now());
        Self { id, issuer_did, credentials: message.credentials, received_at }
    }
}

impl Aggregate for CredentialOffer {
    const KIND: &'static str = "credential-offer";

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Columns {
        Columns {
            state: Some("RECEIVED".into()),
            counter_party: Some(self.issuer_did.to_string()),
            ..Columns::default()
        }
    }
}
