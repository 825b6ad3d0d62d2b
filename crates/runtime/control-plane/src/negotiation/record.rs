//! A negotiation as it is stored.

use std::borrow::Cow;

use heddle_dsp::{
    negotiation::{Kind, Negotiation, State},
    process::Role,
};
use heddle_ids::{AgreementId, ConsumerPid, MessageId, ParticipantId};
use heddle_store::{Aggregate, Columns, filter::Properties};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{delivery::Sends, trace::DecisionTrace};

/// One party's copy of a negotiation, with what the control plane keeps beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NegotiationRecord {
    /// The process.
    pub(crate) process: Negotiation,
    /// What the counter-party proved when it last spoke.
    #[serde(default)]
    pub(crate) claims: Value,
    /// Our own id of the agreement, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agreement: Option<AgreementId>,
    /// Callback addresses as the client gave them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) callback_addresses: Vec<Value>,
    /// The message that has left the house and was not answered; another one may be under way since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unanswered: Option<MessageId>,
    /// Why things were decided.
    #[serde(default)]
    pub(crate) trace: DecisionTrace,
}

impl NegotiationRecord {
    /// The states, as the Management API names them, that something follows.
    pub(crate) const ONGOING: [&'static str; 13] = [
        "INITIAL",
        "REQUESTING",
        "REQUESTED",
        "OFFERING",
        "OFFERED",
        "ACCEPTING",
        "ACCEPTED",
        "AGREEING",
        "AGREED",
        "VERIFYING",
        "VERIFIED",
        "FINALIZING",
        "TERMINATING",
    ];

    /// A record of a process that has just begun.
    pub(crate) fn new(process: Negotiation) -> Self {
        Self {
            process,
            claims: Value::Null,
            agreement: None,
            callback_addresses: Vec::new(),
            unanswered: None,
            trace: DecisionTrace::default(),
        }
    }

    /// Jobs of one negotiation run one after the other.
    pub(crate) fn order_key(&self) -> String {
        format!("negotiation/{}", self.process.id())
    }

    /// The unique key of a provider's copy: a consumer's initial request leads to one negotiation, however often
    /// it comes.
    pub(crate) fn key(counter_party: &ParticipantId, consumer: &ConsumerPid) -> String {
        format!("{}:{counter_party}:{consumer}", counter_party.as_str().len())
    }

    /// The state as the Management API names it: while a message of ours is under way, the one that it leads to,
    /// as `REQUESTING` … `FINALIZING`.
    pub(crate) fn management_state(&self) -> &'static str {
        let under_way = self.process.in_flight().map(|flight| flight.message.kind());
        match (under_way, self.process.state()) {
            (_, Some(State::Finalized)) => "FINALIZED",
            (_, Some(State::Terminated)) => "TERMINATED",
            (Some(Kind::Request), _) => "REQUESTING",
            (Some(Kind::Offer), _) => "OFFERING",
            (Some(Kind::Accept), _) => "ACCEPTING",
            (Some(Kind::Agree), _) => "AGREEING",
            (Some(Kind::Verify), _) => "VERIFYING",
            (Some(Kind::Finalize), _) => "FINALIZING",
            (Some(Kind::Terminate), _) => "TERMINATING",
            (None, Some(state)) => state.as_str(),
            (None, None) => "INITIAL",
        }
    }

    /// Why it ended, in one sentence, for the owner.
    pub(crate) fn error_detail(&self) -> Option<String> {
        let explanation = &self.process.termination()?.explanation;
        let reasons: Vec<String> = explanation.reason.iter().map(in_words).collect();
        match (reasons.is_empty(), &explanation.code) {
            (false, _) => Some(reasons.join("; ")),
            (true, Some(code)) => Some(format!("code {code}")),
            (true, None) => None,
        }
    }
}

/// The part that a party plays, as the Management API names it.
pub(crate) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Consumer => "CONSUMER",
        Role::Provider => "PROVIDER",
    }
}

/// A reason of any JSON type as text.
pub(crate) fn in_words(reason: &Value) -> String {
    reason.as_str().map_or_else(|| reason.to_string(), str::to_owned)
}

impl Sends for NegotiationRecord {
    fn is_in_flight(&self, message: &MessageId) -> bool {
        self.process.is_in_flight(message)
    }

    fn unanswered(&mut self) -> &mut Option<MessageId> {
        &mut self.unanswered
    }

    fn trace(&mut self) -> &mut DecisionTrace {
        &mut self.trace
    }
}

impl Aggregate for NegotiationRecord {
    const KIND: &'static str = "negotiation";

    fn id(&self) -> &str {
        self.process.id().as_str()
    }

    fn columns(&self) -> Columns {
        let process = &self.process;
        let unique_key = match (process.role(), process.consumer_pid()) {
            (Role::Provider, Some(pid)) => Some(Self::key(process.counter_party(), &pid)),
            _ => None,
        };
        Columns {
            state: Some(Cow::Borrowed(self.management_state())),
            counter_party: Some(process.counter_party().to_string()),
            correlation: process.peer_pid().map(|pid| pid.as_str().to_owned()),
            reference: Some(process.dataset().to_string()),
            unique_key,
            due_at: None,
        }
    }

    fn properties(&self) -> Option<Properties> {
        let process = &self.process;
        let mut own = Properties::default()
            .with_text("id", process.id().as_str())
            .with_text("type", role_name(process.role()))
            .with_text("protocol", process.profile().as_str())
            .with_text("profile", process.profile().as_str())
            .with_text("state", self.management_state())
            .with_number("stateTimestamp", process.changed_at().as_millis())
            .with_text("counterPartyId", process.counter_party().as_str())
            .with_text("counterPartyAddress", process.counter_party_address())
            .with_number("createdAt", process.created_at().as_millis())
            .with_text("assetId", process.dataset().as_str());
        if let Some(pid) = process.peer_pid() {
            own = own.with_text("correlationId", pid.as_str());
        }
        if let Some(agreement) = &self.agreement {
            own = own
                .with_text("contractAgreementId", agreement.as_str())
                .with_text("contractAgreement.id", agreement.as_str())
                .with_text("contractAgreement.assetId", process.dataset().as_str());
        }
        if let Some(detail) = self.error_detail() {
            own = own.with_text("errorDetail", &detail);
        }
        Some(own)
    }
}
