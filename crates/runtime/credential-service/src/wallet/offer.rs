//! An issuer's offer of credentials, kept for its owner to look at (DCP 1.0 §6.6).

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
};

use heddle_clock::{Environment, Timestamp};
use heddle_dcp::wire::{CredentialObject, CredentialOfferMessage};
use heddle_did::Did;
use heddle_store::{Aggregate, Columns, Loaded};
use serde::{Deserialize, Serialize};

/// Most offers of one issuer that are kept; further ones are turned away until the owner has cleared some.
pub(crate) const OFFERS_PER_ISSUER_MAX: u64 = 100;
/// Most offers that are kept altogether: issuers cost nothing. Whoever comes later makes the oldest of the most eager
/// issuer go, so that nobody can keep others out.
pub(crate) const OFFERS_MAX: u64 = 1000;
/// For how many offers room is made at a time: it takes a look at all of them.
const ROOM: usize = 32;

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

/// Which of `offers`, oldest first, have to go so that there is room again: always the oldest of the issuer that has
/// most.
pub(crate) fn superfluous(offers: &[Loaded<CredentialOffer>]) -> Vec<&Loaded<CredentialOffer>> {
    let kept = usize::try_from(OFFERS_MAX).unwrap_or(usize::MAX) - ROOM;
    let mut of_issuers: BTreeMap<&Did, VecDeque<usize>> = BTreeMap::new();
    for (age, offer) in offers.iter().enumerate() {
        of_issuers.entry(&offer.issuer_did).or_default().push_back(age);
    }
    let mut superfluous = Vec::new();
    while offers.len() - superfluous.len() > kept {
        // Of those that have as many, the one who has waited longest.
        let most = of_issuers.values_mut().max_by_key(|ages| (ages.len(), Reverse(ages.front().copied())));
        let Some(oldest) = most.and_then(VecDeque::pop_front) else { break };
        superfluous.push(&offers[oldest]);
    }
    superfluous
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
