//! An issuance process: a request of a holder, what was decided about it, and how far it is.

mod admission;
mod telling;

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_credentials::Format;
use heddle_dcp::issuance::{
    Illegal,
    issuer::{self, Event, State},
};
use heddle_did::Did;
use heddle_ids::{
    CredentialDefinitionId, CredentialId, HolderId, HolderPid, IssuerPid, ParticipantContextId,
};
use heddle_store::{Aggregate, Columns, NewEvent, NewJob, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use admission::{Inadmissible, admit};

/// Longest reason that is kept, in characters. It may quote a peer.
const REASON_CHARS_MAX: usize = 500;

/// One credential that was approved: all that it takes to make it, so that later changes of its definition do not
/// matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Approved {
    pub(crate) definition: CredentialDefinitionId,
    pub(crate) credential_type: String,
    pub(crate) format: Format,
    pub(crate) validity: Duration,
    #[serde(default)]
    pub(crate) additional_context: Vec<String>,
    /// What it says of its subject.
    pub(crate) subject: Map<String, Value>,
}

/// The aggregate. The holder is the counter-party: nobody else sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct IssuanceProcess {
    pub(crate) id: IssuerPid,
    pub(crate) holder_id: HolderId,
    pub(crate) holder_did: Did,
    pub(crate) holder_pid: HolderPid,
    pub(crate) state: State,
    /// What was asked for.
    pub(crate) definitions: Vec<CredentialDefinitionId>,
    /// What is to be issued; empty when the request was refused.
    #[serde(default)]
    pub(crate) approved: Vec<Approved>,
    /// What the attestations said.
    #[serde(default)]
    pub(crate) claims: Map<String, Value>,
    /// The token that came with the request, to be handed back on delivery (DCP 1.0 §6.4). A secret of the holder:
    /// forgotten when the process ends, and never shown.
    #[serde(default)]
    pub(crate) access_token: Option<String>,
    /// The credentials, once they are signed.
    #[serde(default)]
    pub(crate) credentials: Vec<CredentialId>,
    /// Why it ended in an error.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// Whether its holder may use the `holderPid` for no other process.
    #[serde(default)]
    pub(crate) exclusive: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

/// The payload of the jobs of a process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ProcessJob {
    pub(crate) process: IssuerPid,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    participant_context_id: &'a ParticipantContextId,
    issuance_process_id: &'a IssuerPid,
    holder_id: &'a HolderId,
    holder_pid: &'a HolderPid,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl IssuanceProcess {
    /// It after `event`.
    pub(crate) fn after(&self, event: Event, now: Timestamp) -> Result<Self, Illegal> {
        let state = issuer::next(self.state, event)?;
        let modified_at = if state == self.state { self.modified_at } else { now };
        let access_token = if state == State::Delivered { None } else { self.access_token.clone() };
        Ok(Self { state, modified_at, access_token, ..self.clone() })
    }

    /// It with the reason of its failure.
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.chars().take(REASON_CHARS_MAX).collect());
        self
    }

    /// What its jobs are ordered by.
    pub(crate) fn order_key(&self) -> String {
        format!("issuance/{}", self.id)
    }

    /// A job of this process. At most one runs at a time.
    pub(crate) fn job(&self, kind: &str) -> NewJob {
        let host = self.holder_did.method_specific_id().split(':').next().unwrap_or_default();
        let payload = ProcessJob { process: self.id.clone() };
        NewJob::new(kind, self.order_key(), &payload).calling(host.replace("%3A", ":"))
    }

    /// Tells which state it has come to.
    pub(crate) fn tell(&self, transaction: &mut Transaction<'_>, context: &ParticipantContextId) {
        let payload = Payload {
            participant_context_id: context,
            issuance_process_id: &self.id,
            holder_id: &self.holder_id,
            holder_pid: &self.holder_pid,
            reason: self.reason.as_deref(),
        };
        let kind = format!("issuance.{}", self.state.name().to_lowercase());
        telling::moved(transaction, context, &self.holder_did, (kind.clone(), self.reason.clone()));
        transaction.emit(NewEvent::new(kind, self.id.as_str(), &payload));
    }
}

impl Aggregate for IssuanceProcess {
    const KIND: &'static str = "issuance-process";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        Columns {
            state: Some(self.state.name().into()),
            counter_party: Some(self.holder_did.to_string()),
            correlation: Some(self.holder_pid.to_string()),
            unique_key: self.exclusive.then(|| format!("{} {}", self.holder_did, self.holder_pid)),
            ..Columns::default()
        }
    }
}
