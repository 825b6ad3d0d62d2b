//! Whether the contents of a message fit the negotiation. The same for both directions.

use heddle_clock::Timestamp;
use heddle_odrl::{Policy, PolicyKind, equivalent};

use super::{Message, Negotiation, Refused};
use crate::process::Role;

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The policy is not what the message carries.
    #[error("its policy must be an {expected}")]
    PolicyKind {
        /// `Offer` or `Agreement`.
        expected: &'static str,
    },
    /// The policy may not be used.
    #[error("its policy is not valid: {0}")]
    Invalid(String),
    /// A party or dataset differs.
    #[error("'{member}' is {}, but must be '{expected}'", quoted(.found))]
    Member {
        /// The member of the policy.
        member: &'static str,
        /// What the negotiation is about.
        expected: String,
        /// What the policy says.
        found: Option<String>,
    },
    /// The agreement does not say when it was made.
    #[error("the agreement's 'timestamp' is {}, but must be an xsd:dateTime", quoted(.0))]
    Timestamp(Option<String>),
    /// There is no offer to accept or to agree to, or it is the wrong party's.
    #[error("there is no offer of the provider to accept")]
    NoOffer,
    /// The agreement has other terms than the last offer.
    #[error("the terms of the agreement are not those of the last offer")]
    Terms,
}

fn quoted(text: &Option<String>) -> String {
    text.as_ref().map_or_else(|| "missing".to_owned(), |text| format!("'{text}'"))
}

/// Checks what the table of arrows cannot say.
pub(super) fn contents(negotiation: &Negotiation, by: Role, message: &Message) -> Result<(), Refused> {
    let result = match message {
        Message::Request(policy) | Message::Offer(policy) => {
            if negotiation.offers.len() >= Negotiation::OFFERS_MAX {
                return Err(Refused::TooManyOffers { max: Negotiation::OFFERS_MAX });
            }
            offer(negotiation, policy)
        }
        // DSP 2025-1: an acceptance of the consumer's own offer is an error.
        Message::Accept => match negotiation.last_offer() {
            Some(offer) if offer.by == by.other() => Ok(()),
            _ => Err(Mismatch::NoOffer),
        },
        Message::Agree(policy) => agreement(negotiation, policy),
        Message::Verify | Message::Finalize | Message::Terminate(_) => Ok(()),
    };
    result.map_err(|mismatch| Refused::Unfit { kind: message.kind(), mismatch })
}

fn offer(negotiation: &Negotiation, policy: &Policy) -> Result<(), Mismatch> {
    if policy.kind != PolicyKind::Offer {
        return Err(Mismatch::PolicyKind { expected: "Offer" });
    }
    policy.validate().map_err(|invalid| Mismatch::Invalid(invalid.to_string()))?;
    member("target", negotiation.dataset.as_str(), policy.target.as_ref())
}

fn agreement(negotiation: &Negotiation, policy: &Policy) -> Result<(), Mismatch> {
    if policy.kind != PolicyKind::Agreement {
        return Err(Mismatch::PolicyKind { expected: "Agreement" });
    }
    policy.validate().map_err(|invalid| Mismatch::Invalid(invalid.to_string()))?;
    let (provider, consumer) = match negotiation.role {
        Role::Provider => (&negotiation.participant, &negotiation.counter_party),
        Role::Consumer => (&negotiation.counter_party, &negotiation.participant),
    };
    member("target", negotiation.dataset.as_str(), policy.target.as_ref())?;
    member("assigner", provider.as_str(), policy.assigner.as_ref())?;
    member("assignee", consumer.as_str(), policy.assignee.as_ref())?;
    if !policy.timestamp.as_deref().is_some_and(is_date_time) {
        return Err(Mismatch::Timestamp(policy.timestamp.clone()));
    }
    let last = negotiation.last_offer().ok_or(Mismatch::NoOffer)?;
    // The parties of the agreement were checked above; those that an offer may name are a matter of its
    // maker.
    let terms = Policy { assigner: None, assignee: None, ..last.policy.clone() };
    if equivalent(&terms, policy) { Ok(()) } else { Err(Mismatch::Terms) }
}

fn member(member: &'static str, expected: &str, found: Option<&String>) -> Result<(), Mismatch> {
    match found {
        Some(found) if found == expected => Ok(()),
        _ => Err(Mismatch::Member { member, expected: expected.to_owned(), found: found.cloned() }),
    }
}

/// `xsd:dateTime`: as RFC 3339, but the offset may be left out.
fn is_date_time(text: &str) -> bool {
    Timestamp::parse_rfc3339(text).is_ok() || Timestamp::parse_rfc3339(&format!("{text}Z")).is_ok()
}
