//! A request for credentials, from the moment it is made until its issuer has answered.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::Timestamp;
use heddle_credentials::Format;
use heddle_dcp::issuance::{
    Illegal,
    holder::{self, Event, State},
};
use heddle_did::Did;
use heddle_ids::{HolderPid, IssuerPid, ParticipantContextId};
use heddle_store::{Aggregate, Columns, NewEvent, NewJob, Transaction};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::telling::told;

/// The job that sends a request to its issuer.
pub(crate) const SEND_REQUEST: &str = "credential.request.send";
/// Longest reason that is kept, in characters. It may quote an issuer.
const REASON_CHARS_MAX: usize = 500;

/// One credential that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// The id of the issuer's credential object; `None` until it is found in the issuer's metadata.
    pub(crate) id: Option<String>,
    pub(crate) credential_type: String,
    pub(crate) format: Format,
}

/// The aggregate. Its id is the holder's pid; its issuer is the counter-party, so that nobody else sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CredentialRequest {
    pub(crate) holder_pid: HolderPid,
    pub(crate) issuer_did: Did,
    #[serde(default)]
    pub(crate) issuer_pid: Option<IssuerPid>,
    pub(crate) state: State,
    pub(crate) wanted: Vec<Wanted>,
    /// Where the issuer tells how far it is, as it said.
    #[serde(default)]
    pub(crate) location: Option<String>,
    /// Why it was rejected or could not be sent.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    participant_context_id: &'a ParticipantContextId,
    holder_pid: &'a HolderPid,
    issuer_did: &'a Did,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// The payload of [`SEND_REQUEST`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SendRequest {
    pub(crate) holder_pid: HolderPid,
}

impl CredentialRequest {
    /// A new request; nothing is sent yet.
    pub(crate) fn new(holder_pid: HolderPid, issuer_did: Did, wanted: Vec<Wanted>, now: Timestamp) -> Self {
        Self {
            holder_pid,
            issuer_did,
            issuer_pid: None,
            state: State::Created,
            wanted,
            location: None,
            reason: None,
            created_at: now,
            modified_at: now,
        }
    }

    /// Whether all that is wanted is known by the issuer's ids.
    pub(crate) fn is_complete(&self) -> bool {
        self.wanted.iter().all(|wanted| wanted.id.is_some())
    }

    /// What its jobs are ordered by.
    pub(crate) fn order_key(&self) -> String {
        format!("credential-request/{}", self.holder_pid)
    }

    /// The job that sends it.
    pub(crate) fn send_job(&self) -> NewJob {
        let payload = SendRequest { holder_pid: self.holder_pid.clone() };
        let host = self.issuer_did.method_specific_id().split(':').next().unwrap_or_default();
        NewJob::new(SEND_REQUEST, self.order_key(), &payload).calling(host.replace("%3A", ":"))
    }

    /// By this the issuer knows the request when its answer was lost and it is sent again. Another request differs in
    /// it, even one under the same id by a later participant of the same DID.
    pub(crate) fn idempotency_key(&self) -> String {
        let text = format!("{} {}", self.created_at.as_millis(), self.holder_pid);
        URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
    }

    /// It after `event`.
    pub(crate) fn after(&self, event: Event, now: Timestamp) -> Result<Self, Illegal> {
        let state = holder::next(self.state, event)?;
        let modified_at = if state == self.state { self.modified_at } else { now };
        Ok(Self { state, modified_at, ..self.clone() })
    }

    /// It with a reason.
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.chars().take(REASON_CHARS_MAX).collect());
        self
    }

    /// Types and formats that were asked for.
    pub(crate) fn types_and_formats(&self) -> Vec<(String, Format)> {
        self.wanted.iter().map(|wanted| (wanted.credential_type.clone(), wanted.format)).collect()
    }

    /// Tells others that it is in its present state; while it is being sent there is nothing to tell.
    pub(crate) fn tell(&self, transaction: &mut Transaction<'_>, context: &ParticipantContextId) {
        let kind = match self.state {
            State::Created => "credential.request.created",
            State::Requesting => return,
            State::Requested => "credential.request.requested",
            State::Issued => "credential.request.issued",
            State::Rejected => "credential.request.rejected",
            State::Error => "credential.request.error",
        };
        let payload = Payload {
            participant_context_id: context,
            holder_pid: &self.holder_pid,
            issuer_did: &self.issuer_did,
            reason: self.reason.as_deref(),
        };
        told(transaction, context, &self.issuer_did, (kind, self.reason.clone()));
        transaction.emit(NewEvent::new(kind, format!("credential-request/{}", self.holder_pid), &payload));
    }
}

impl Aggregate for CredentialRequest {
    const KIND: &'static str = "credential-request";

    fn id(&self) -> &str {
        self.holder_pid.as_str()
    }

    fn columns(&self) -> Columns {
        Columns {
            state: Some(self.state.name().into()),
            counter_party: Some(self.issuer_did.to_string()),
            correlation: self.issuer_pid.as_ref().map(IssuerPid::to_string),
            ..Columns::default()
        }
    }
}
