//! What the log tells of protocol work: a line for each message, for each move of a process, for each proof. Together
//! they tell the story of a participant context to whoever looks for its id.
//!
//! Deliberately absent: why something was decided; that is in the decision trace ([`crate::trace`]), which belongs to
//! the participant alone.

use heddle_dsp::{
    negotiation::{Message, Negotiation},
    transfer::TransferProcess,
};
use heddle_ids::ParticipantId;
use heddle_store::Transaction;
use heddle_telemetry::logs::category;
use heddle_tenancy::Owner;

use crate::{
    identity::{Proven, Unproven},
    parts::Addressed,
    trace::Direction,
};

/// What a line is about.
#[derive(Debug, Default)]
pub(crate) struct About {
    counter_party: String,
    process: Option<String>,
    contract: Option<String>,
}

impl About {
    /// A counter-party alone: there is no process yet, or none follows.
    pub(crate) fn peer(counter_party: &ParticipantId) -> Self {
        Self { counter_party: counter_party.to_string(), ..Self::default() }
    }
}

impl From<&Negotiation> for About {
    fn from(process: &Negotiation) -> Self {
        let proposed = process.in_flight().and_then(|flight| match &flight.message {
            Message::Agree(agreement) => agreement.id.clone(),
            _ => None,
        });
        Self {
            counter_party: process.counter_party().to_string(),
            process: Some(process.id().to_string()),
            contract: process.agreement_id().map(String::from).or(proposed),
        }
    }
}

impl From<&TransferProcess> for About {
    fn from(process: &TransferProcess) -> Self {
        Self {
            counter_party: process.counter_party().to_string(),
            process: Some(process.id().to_string()),
            contract: Some(process.agreement_id().to_string()),
        }
    }
}

/// A message has arrived at a peer, or a signal at a data plane. The participant is that of the request or job under
/// way.
pub(crate) fn sent(about: &About, message_type: &str) {
    message(about, Direction::Sent, message_type);
}

/// A message of a peer has changed something, once that is stored.
pub(crate) fn received(transaction: &mut Transaction<'_>, about: About, message_type: &'static str) {
    transaction.when_committed(move || message(&about, Direction::Received, message_type));
}

/// A message was sent or received.
pub(crate) fn message(about: &About, direction: Direction, message_type: &str) {
    let (action, told) = match direction {
        Direction::Sent => ("message.sent", "a message was sent"),
        Direction::Received => ("message.received", "a message was received"),
    };
    tracing::info!(
        category = category::MESSAGE,
        component = "control-plane",
        action,
        message_type,
        counter_party_id = about.counter_party,
        process_id = about.process,
        contract_id = about.contract,
        "{told}"
    );
}

/// A process has come into a state, once that is stored.
pub(crate) fn moved(transaction: &mut Transaction<'_>, about: About, event: String, reason: Option<String>) {
    let access = transaction.access();
    let Owner::Participant(context) = access.owner().clone() else { return };
    transaction.when_committed(move || {
        tracing::info!(
            category = category::APPLICATION,
            component = "control-plane",
            action = event,
            participant_context_id = %context,
            counter_party_id = about.counter_party,
            process_id = about.process,
            contract_id = about.contract,
            reason,
            "a process moved"
        );
    });
}

/// A peer has proved who it is, or has not.
pub(crate) fn proof(addressed: &Addressed, outcome: &Result<Proven, Unproven>) {
    let (counter_party, checks, refusal) = match outcome {
        Ok(proven) => (Some(proven.peer.id().as_str()), proven.checks.len(), None),
        Err(Unproven::Refused { known, reason, checks }) => {
            (known.as_ref().map(ParticipantId::as_str), checks.len(), Some(reason.clone()))
        }
        Err(other) => (None, 0, Some(other.to_string())),
    };
    tracing::info!(
        category = category::CLAIMS,
        component = "control-plane",
        action = if refusal.is_none() { "claims.verified" } else { "claims.refused" },
        participant_context_id = %addressed.recipient.context(),
        counter_party_id = counter_party,
        profile = %addressed.profile.name,
        checks,
        reason = refusal,
        "{}",
        if outcome.is_ok() { "a peer has proved its claims" } else { "a peer has not proved its claims" }
    );
}
