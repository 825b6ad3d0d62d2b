//! How a message of ours comes to a peer, whatever it is about: who it is from, what went wrong, what follows from that.

use std::fmt;

use heddle_dsp::wire;
use heddle_ids::{MessageId, ParticipantId, ProfileName};
use heddle_outbound::{Authorization, OutboundError, Request, ResolveError, Response, RetryClass};
use heddle_store::{Aggregate, ClaimedJob, StoreError};
use heddle_telemetry::spans;
use heddle_tenancy::ParticipantScope;
use serde::Serialize;
use tracing::Instrument;

use crate::{
    ControlPlane,
    model::DataspaceProfile,
    patience::Verdict,
    trace::{DecisionTrace, Traced},
};

/// A message, ready to go.
pub(crate) struct Parcel<'a, B> {
    pub(crate) profile: &'a ProfileName,
    pub(crate) counter_party: &'a ParticipantId,
    /// Where to.
    pub(crate) url: String,
    pub(crate) body: &'a B,
    /// Set for a request that begins a process.
    pub(crate) beginning: Option<Beginning>,
}

/// What is special about a request that begins a process: nothing is known of the peer yet, nor to it of us.
pub(crate) struct Beginning {
    /// What the terms speak of: it decides about the credentials that the peer will ask for.
    pub(crate) left_operands: Vec<String>,
    /// The type of the protocol's error object.
    pub(crate) error_object: &'static str,
}

/// Why a message has not arrived.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// In one sentence, for the owner alone.
    pub(crate) reason: String,
    pub(crate) class: RetryClass,
    /// Whether it has left the house, so that the peer may have taken it.
    pub(crate) sent: bool,
}

impl Trouble {
    /// It was not sent.
    pub(crate) fn at_home(reason: impl fmt::Display, class: RetryClass) -> Self {
        Self { reason: reason.to_string(), class, sent: false }
    }

    /// It was not sent, for a reason that may pass.
    pub(crate) fn passing(reason: impl fmt::Display) -> Self {
        Self::at_home(reason, RetryClass::Retry { after: None })
    }

    /// It was not sent, and never will be.
    pub(crate) fn last(reason: impl fmt::Display) -> Self {
        Self::at_home(reason, RetryClass::Final)
    }

    /// The peer has taken a first message, and its answer does not tell the process id that all others need. It answers
    /// a repeat alike, and may do better then.
    pub(crate) fn unreadable(error: &wire::Malformed) -> Self {
        let reason = format!("the peer has answered without a process id that can be read: {error}");
        Self { reason, class: RetryClass::Retry { after: None }, sent: true }
    }

    fn unresolved(error: &ResolveError) -> Self {
        Self::at_home(format!("the counter-party's DID does not resolve: {error}"), error.class())
    }

    /// The peer, or the way to it.
    fn on_the_way(error: &OutboundError, beginning: Option<&Beginning>) -> Self {
        let class = class(error, beginning.map(|beginning| beginning.error_object));
        let sent = !matches!(error, OutboundError::Refused { .. });
        Self { reason: error.to_string(), class, sent }
    }
}

/// The class of a failure. A peer that answers a request with 404 and the protocol's own error object is up and has
/// decided; anybody else's 404 may be a service that restarts.
fn class(error: &OutboundError, error_object: Option<&str>) -> RetryClass {
    match error {
        OutboundError::Status { status, body_excerpt, .. }
            if status.as_u16() == 404
                && error_object.is_some_and(|error_object| body_excerpt.contains(error_object)) =>
        {
            RetryClass::Final
        }
        other => other.class(),
    }
}

/// Whether the peer may not have believed who we are: it answers then as if there were nothing.
fn is_stranger(error: &OutboundError) -> bool {
    error.status().is_some_and(|status| matches!(status.as_u16(), 401 | 403 | 404))
}

/// A stored process whose messages are sent.
pub(crate) trait Sends: Aggregate + Clone {
    /// Whether this message is under way.
    fn is_in_flight(&self, message: &MessageId) -> bool;

    /// The message that has left the house and was not answered.
    fn unanswered(&mut self) -> &mut Option<MessageId>;

    /// Why things were decided.
    fn trace(&mut self) -> &mut DecisionTrace;
}

impl ControlPlane {
    /// Sends a message.
    pub(crate) async fn deliver<B: Serialize>(
        &self,
        scope: &ParticipantScope,
        parcel: &Parcel<'_, B>,
    ) -> Result<Response, Trouble> {
        let Parcel { counter_party, beginning, .. } = parcel;
        let profile = &self.dataspace(parcel.profile).await?;
        let operands = beginning.as_ref().map_or(&[][..], |beginning| &beginning.left_operands);
        if beginning.is_some() {
            // Its answers could not be believed, and what it says of a request for somebody else tells nothing.
            let known = self.identity.resolves(profile, counter_party).await;
            known.map_err(|error| Trouble::unresolved(&error))?;
        }
        let authorization = self.proof(scope, profile, counter_party, operands).await?;
        let request = Request::post(&parcel.url).json_of(parcel.body).authorization(authorization);
        let span = spans::part("dsp.send", scope.participant().as_str(), Some(counter_party.as_str()));
        let error = match self.outbound.send(request).instrument(span).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let mut trouble = Trouble::on_the_way(&error, beginning.as_ref());
        if beginning.is_some() && is_stranger(&error) {
            let own = self.identity.shortcomings(scope, profile, operands).await.unwrap_or_default();
            trouble.reason = own.iter().fold(trouble.reason, |told, reason| format!("{told}; {reason}"));
        }
        Err(trouble)
    }

    async fn dataspace(&self, profile: &ProfileName) -> Result<DataspaceProfile, Trouble> {
        let found = self.profile(profile.as_str()).await.map_err(Trouble::passing)?;
        found.ok_or_else(|| Trouble::last(format!("the dataspace profile {profile} is gone")))
    }

    async fn proof(
        &self,
        scope: &ParticipantScope,
        profile: &DataspaceProfile,
        counter_party: &ParticipantId,
        left_operands: &[String],
    ) -> Result<Authorization, Trouble> {
        let proof = self.identity.authorization(scope, profile, counter_party, left_operands).await;
        proof.map_err(
            |error| {
                if error.is_retryable() { Trouble::passing(error) } else { Trouble::last(error) }
            },
        )
    }

    /// What the peer shows of a process, before a message that it may have taken is given up; nothing when it does not,
    /// for whatever reason: then what we know must do.
    pub(crate) async fn shown_by_peer<W: wire::Wire>(
        &self,
        scope: &ParticipantScope,
        profile: &ProfileName,
        (counter_party, url): (&ParticipantId, String),
    ) -> Option<W> {
        let profile = &self.dataspace(profile).await.ok()?;
        let authorization = self.proof(scope, profile, counter_party, &[]).await.ok()?;
        let answer = self.outbound.send(Request::get(url).authorization(authorization)).await.ok()?;
        wire::parse(answer.body()).ok()
    }

    /// What follows from an attempt of `job` that has failed. `left_before` tells whether the message is known to have
    /// left the house before.
    pub(crate) fn verdict(&self, job: &ClaimedJob, trouble: &Trouble, left_before: bool) -> Verdict {
        let age = self.environment.now().since(job.created_at);
        self.patience.judge(trouble, job.attempts + 1, age, left_before)
    }

    /// Lets the owner see what keeps a message, and remembers whether it has left the house. A message that is not under
    /// way any more needs no such note.
    pub(crate) async fn note_attempt<P: Sends>(
        &self,
        scope: &ParticipantScope,
        (process, message): (&str, &MessageId),
        trouble: &Trouble,
        (name, attempt): (&str, u32),
    ) -> Result<(), StoreError> {
        loop {
            let mut transaction = self.store.begin(scope);
            let loaded = transaction.load::<P>(process).await?.filter(|loaded| loaded.is_in_flight(message));
            let Some(loaded) = loaded else { return Ok(()) };
            let mut next = loaded.value().clone();
            if trouble.sent {
                *next.unanswered() = Some(message.clone());
            }
            let (message, reason) = (name.to_owned(), trouble.reason.clone());
            next.trace().add_attempt(transaction.now(), Traced::Unanswered { message, attempt, reason });
            transaction.save(&loaded, &next);
            match transaction.commit().await {
                Err(StoreError::Stale { .. }) => {}
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use heddle_dsp::{
        negotiation::{self, Message},
        process::Inbound,
        transfer,
    };

    use super::*;
    use crate::{
        negotiation::NegotiationRecord,
        tests::{CONSUMER, House},
        transfer::{Callback, TransferRecord},
    };

    async fn negotiation(house: &House) -> NegotiationRecord {
        house.kept::<NegotiationRecord>().await.remove(0)
    }

    /// A provider that has taken the consumer's request; its agreement is on its way.
    async fn agreeing() -> (House, NegotiationRecord) {
        let house = House::new().await;
        house.offer().await;
        let (addressed, request) = (house.addressed().await, house.request().await);
        house.plane.receive_request(&addressed, Some(CONSUMER), request).await.expect("taken");
        let record = negotiation(&house).await;
        (house, record)
    }

    #[tokio::test]
    async fn a_finalisation_that_was_never_sent_does_not_count_as_taken() {
        let (house, record) = agreeing().await;
        let verify = Inbound::new(Message::Verify, MessageId::parse("v").expect("legal"));
        let (addressed, id) = (house.addressed().await, record.process.id().to_string());
        house.plane.receive_message(&addressed, Some(CONSUMER), &id, verify).await.expect("taken");
        house.prove_by("dcp").await;
        let ended = house.work::<NegotiationRecord>(|record| record.process.is_terminal()).await;
        assert_eq!(ended.process.state(), Some(negotiation::State::Terminated));
        let why = ended.error_detail().expect("why");
        assert!(why.contains("the token service is not available"), "{why}");
    }

    #[tokio::test]
    async fn a_completion_that_was_never_sent_does_not_count_as_taken() {
        let house = House::new().await;
        house.offer().await;
        let (addressed, request) = (house.addressed().await, House::transfer_request());
        house.plane.receive_transfer_request(&addressed, Some(CONSUMER), request).await.expect("taken");
        // The transfer has started.
        let mut transaction = house.plane.store.begin(&house.own);
        let id = house.kept::<TransferRecord>().await[0].process.id().to_string();
        let loaded = transaction.load::<TransferRecord>(&id).await.expect("reads").expect("kept");
        let (mut started, now) = (loaded.value().clone(), transaction.now());
        started.signals.clear();
        let start = MessageId::parse("s").expect("legal");
        let address = serde_json::from_str(r#"{"@type": "DataAddress", "endpointType": "t"}"#);
        let message = transfer::Message::Start(Some(address.expect("an address")));
        let sent = transfer::send(&started.process.with_step_ended(now), message, start.clone(), now);
        started.process = transfer::acknowledged(&sent.expect("legal").process, &start, None, now).process;
        transaction.save(&loaded, &started);
        transaction.commit().await.expect("commits");

        let plane = "dp".parse().expect("legal");
        let completed = house.plane.data_plane_callback(&house.own, &plane, &id, Callback::Completed).await;
        completed.expect("taken");
        house.prove_by("dcp").await;
        let ended = house.work::<TransferRecord>(|record| record.process.is_terminal()).await;
        assert_eq!(ended.process.state(), Some(transfer::State::Terminated));
        let why = ended.error_detail().expect("why");
        assert!(why.contains("the token service is not available"), "{why}");
    }

    #[tokio::test]
    async fn attempts_at_a_message_are_noted_while_it_is_under_way_and_so_is_that_it_was_sent() {
        let (house, record) = agreeing().await;
        let id = record.process.id().to_string();
        let under_way = record.process.in_flight().expect("the agreement").message_id.clone();
        let note = async |message: &MessageId, sent: bool, attempt: u32| {
            let trouble = Trouble { sent, ..Trouble::passing(format!("reason {attempt}")) };
            let about = (id.as_str(), message);
            let noted = house.plane.note_attempt::<NegotiationRecord>(
                &house.own,
                about,
                &trouble,
                ("ContractAgreementMessage", attempt),
            );
            noted.await.expect("stored");
            negotiation(&house).await
        };
        let gone = MessageId::parse("gone").expect("legal");
        assert_eq!(note(&gone, true, 1).await, record);
        assert_eq!(note(&under_way, false, 1).await.unanswered, None);
        assert_eq!(note(&under_way, true, 2).await.unanswered, Some(under_way.clone()));
        let noted = note(&under_way, false, 3).await;
        assert_eq!(noted.unanswered, Some(under_way.clone()), "it has left the house once");
        let attempts = noted.trace.entries()[record.trace.entries().len()..].iter();
        let reasons: Vec<_> = attempts
            .map(|entry| match &entry.what {
                Traced::Unanswered { reason, .. } => reason.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(reasons, ["reason 1", "reason 2", "reason 3"]);
    }
}
