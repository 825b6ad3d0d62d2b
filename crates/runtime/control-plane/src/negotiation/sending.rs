//! Sends what is in flight, and writes down how that ended.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_auth::SelfIssuedError;
use heddle_dsp::{
    negotiation::{self, Kind, Message, State, Step},
    process::{Failure, InFlight, PeerPid, Role},
    wire,
};
use heddle_ids::MessageId;
use heddle_outbound::{OutboundError, Request, ResolveError, Response, RetryClass};
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::{JobScope, ParticipantScope, Recipient};

use super::{
    NegotiationRecord,
    settle::{SendJob, message_name},
};
use crate::{
    ControlPlane,
    parts::Addressed,
    patience::Verdict,
    telling::{self, About},
    trace::{Direction, Traced},
};

/// Runs `negotiation.send`.
pub(super) struct Sender {
    plane: Arc<ControlPlane>,
}

impl Sender {
    pub(super) fn new(plane: Arc<ControlPlane>) -> Self {
        Self { plane }
    }
}

#[async_trait]
impl JobHandler for Sender {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "a negotiation belongs to a participant".to_owned() });
        };
        let job: SendJob = context.job.payload()?;
        let Some((record, flight)) = self.load(scope, &job).await? else { return Ok(Outcome::Done) };
        let Some(addressed) = self.own(scope, &record).await? else {
            let reason = "the participant takes part in this dataspace no longer".to_owned();
            return self.give_up(context, scope, &job, Failure::Unanswered(reason), None).await;
        };
        let sent = self.post(scope, &addressed, &record, &flight).await;
        match sent.and_then(|answer| peer_pid(&record, &answer)) {
            Ok(peer_pid) => {
                telling::sent(&About::from(&record.process), message_name(flight.message.kind()));
                self.finish(context, scope, &job, |record, now| {
                    if let Some(kind) = in_flight_kind(record, &job.message) {
                        let message = message_name(kind).to_owned();
                        record.trace.add(now, Traced::Message { direction: Direction::Sent, message });
                    }
                    negotiation::acknowledged(&record.process, &job.message, peer_pid.clone(), now)
                })
                .await
            }
            Err(trouble) => {
                let about = (&addressed, &record, flight.message.kind());
                self.trouble(context, scope, &job, about, trouble).await
            }
        }
    }
}

/// Why a message has not arrived.
enum Trouble {
    /// The peer, or the way to it; and what of our own credentials may be why.
    Peer(OutboundError, Vec<String>),
    /// Our own proof cannot be made.
    Proof(SelfIssuedError),
    /// Nobody is known by the id of the peer.
    Identity(ResolveError),
    /// The peer has taken a first message, and its answer does not tell the process id that all others need. It answers
    /// a repeat alike, and may do better then.
    Answer(wire::Malformed),
}

impl Trouble {
    /// In one sentence.
    fn reason(&self) -> String {
        match self {
            Self::Peer(error, own) => {
                own.iter().fold(error.to_string(), |told, reason| format!("{told}; {reason}"))
            }
            Self::Proof(error) => error.to_string(),
            Self::Identity(error) => format!("the counter-party's DID does not resolve: {error}"),
            Self::Answer(error) => {
                format!("the peer has answered without a process id that can be read: {error}")
            }
        }
    }

    fn class(&self, kind: Kind) -> RetryClass {
        match self {
            Self::Peer(error, _) => class(error, kind),
            Self::Proof(error) if !error.is_retryable() => RetryClass::Final,
            Self::Proof(_) | Self::Answer(_) => RetryClass::Retry { after: None },
            Self::Identity(error) => error.class(),
        }
    }
}

impl Sender {
    /// The process and the message, unless that is not in flight any more.
    async fn load(
        &self,
        scope: &ParticipantScope,
        job: &SendJob,
    ) -> Result<Option<(NegotiationRecord, InFlight<Message>)>, StoreError> {
        let loaded = self.plane.store.begin(scope).load::<NegotiationRecord>(&job.negotiation).await?;
        let record = loaded.map(heddle_store::Loaded::into_value);
        Ok(record.and_then(|record| {
            let flight =
                record.process.in_flight().filter(|flight| flight.message_id == job.message)?.clone();
            Some((record, flight))
        }))
    }

    /// Ourselves in the dataspace of the process.
    async fn own(
        &self,
        scope: &ParticipantScope,
        record: &NegotiationRecord,
    ) -> Result<Option<Addressed>, StoreError> {
        let profile = self.plane.profile(record.process.profile().as_str()).await?;
        let identity = record.process.participant().clone();
        let recipient = Recipient::new(scope.participant().clone(), identity);
        Ok(profile.map(|profile| Addressed::new(recipient, profile)))
    }

    async fn post(
        &self,
        scope: &ParticipantScope,
        addressed: &Addressed,
        record: &NegotiationRecord,
        flight: &InFlight<Message>,
    ) -> Result<Response, Trouble> {
        let callback = self.plane.protocol_address(scope.participant(), &addressed.profile.name);
        let outbound = negotiation::outbound(&record.process, flight, &callback).ok_or_else(|| {
            let subject = "the message".to_owned();
            let reason = "the peer has not told its process id".to_owned();
            Trouble::Peer(OutboundError::Malformed { subject, reason }, Vec::new())
        })?;
        let operands = match &flight.message {
            Message::Request(policy) => policy.left_operands().into_iter().map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let counter_party = record.process.counter_party();
        if flight.message.kind() == Kind::Request {
            // Its answers could not be believed, and what it says of a request for somebody else tells nothing.
            let known = self.plane.identity.resolves(&addressed.profile, counter_party).await;
            known.map_err(Trouble::Identity)?;
        }
        let authorization = self
            .plane
            .identity
            .authorization(scope, &addressed.profile, counter_party, &operands)
            .await
            .map_err(Trouble::Proof)?;
        let url = format!("{}{}", record.process.counter_party_address(), outbound.path);
        let request = Request::post(url).json_of(&outbound.body).authorization(authorization);
        match self.plane.outbound.send(request).await {
            Err(error) if flight.message.kind() == Kind::Request && is_stranger(&error) => {
                let own = self.plane.identity.shortcomings(scope, &addressed.profile, &operands).await;
                Err(Trouble::Peer(error, own.unwrap_or_default()))
            }
            other => other.map_err(|error| Trouble::Peer(error, Vec::new())),
        }
    }

    async fn trouble(
        &self,
        context: &JobContext,
        scope: &ParticipantScope,
        job: &SendJob,
        (addressed, record, kind): (&Addressed, &NegotiationRecord, Kind),
        trouble: Trouble,
    ) -> Result<Outcome, StoreError> {
        let (reason, class) = (trouble.reason(), trouble.class(kind));
        let age = self.plane.environment.now().since(context.job.created_at);
        let attempt = context.job.attempts + 1;
        match self.plane.patience.judge(class, attempt, age, &reason) {
            Verdict::GiveUp(failure) => {
                // The peer may have taken the message all the same, and only its answer was lost.
                let peer_state = self.plane.peer_negotiation_state(scope, addressed, record).await;
                self.give_up(context, scope, job, failure, peer_state).await
            }
            Verdict::Again(after) => {
                let message = message_name(kind).to_owned();
                let entry = Traced::Unanswered { message, attempt, reason: reason.clone() };
                self.note(scope, job, entry).await?;
                Ok(Outcome::Retry { error: reason, after })
            }
        }
    }

    /// Lets the owner see what keeps a message. A process that moves at the same moment needs no such note.
    async fn note(&self, scope: &ParticipantScope, job: &SendJob, entry: Traced) -> Result<(), StoreError> {
        let mut transaction = self.plane.store.begin(scope);
        let Some(loaded) = transaction.load::<NegotiationRecord>(&job.negotiation).await? else {
            return Ok(());
        };
        let mut record = loaded.value().clone();
        record.trace.add(transaction.now(), entry);
        transaction.save(&loaded, &record);
        match transaction.commit().await {
            Err(StoreError::Stale { .. }) => Ok(()),
            other => other,
        }
    }

    /// Ends sending without an answer. Where the peer is settles it, if that tells anything.
    async fn give_up(
        &self,
        context: &JobContext,
        scope: &ParticipantScope,
        job: &SendJob,
        failure: Failure,
        peer_state: Option<State>,
    ) -> Result<Outcome, StoreError> {
        let notice = self.plane.message_id();
        self.finish(context, scope, job, |record, now| {
            let reason = failure.reason().to_owned();
            record.trace.add(now, Traced::Refused { reason });
            if let Some(state) = peer_state.filter(|_| record.process.is_in_flight(&job.message)) {
                record.trace.add(now, Traced::PeerState { state: state.as_str().to_owned() });
                let step = negotiation::observed(&record.process, state, now);
                if !step.replay {
                    return step;
                }
            }
            negotiation::abandoned(&record.process, &job.message, &failure, notice.clone(), now)
        })
        .await
    }

    /// Applies how sending ended, together with the end of the job. What the peer has answered is not asked
    /// again when somebody else changes the process meanwhile; only the step is made anew.
    async fn finish(
        &self,
        context: &JobContext,
        scope: &ParticipantScope,
        job: &SendJob,
        step: impl Fn(&mut NegotiationRecord, heddle_clock::Timestamp) -> Step,
    ) -> Result<Outcome, StoreError> {
        loop {
            let mut transaction = self.plane.store.begin(scope);
            let Some(loaded) = transaction.load::<NegotiationRecord>(&job.negotiation).await? else {
                return Ok(Outcome::Done);
            };
            let now = transaction.now();
            let mut record = loaded.value().clone();
            let step = step(&mut record, now);
            if step.replay {
                return Ok(Outcome::Done);
            }
            transaction.complete(&context.job);
            self.plane.settle_negotiation(&mut transaction, scope, &mut record, step);
            // Nothing that we may do by ourselves follows from a message of ours but in crossing; the machine
            // refuses what is not legal, and then it is the owner's turn.
            drop(self.plane.react(&mut transaction, scope, &mut record, now));
            transaction.save(&loaded, &record);
            match transaction.commit().await {
                // `Duplicate`: a message of the peer has acknowledged our agreement meanwhile, and kept it.
                Err(StoreError::Stale { .. } | StoreError::Duplicate { .. }) => {}
                other => return other.map(|()| Outcome::Completed),
            }
        }
    }
}

/// Whether the peer may not have believed who we are: it answers then as if there were nothing.
fn is_stranger(error: &OutboundError) -> bool {
    error.status().is_some_and(|status| matches!(status.as_u16(), 401 | 403 | 404))
}

fn in_flight_kind(record: &NegotiationRecord, message: &MessageId) -> Option<Kind> {
    let flight = record.process.in_flight().filter(|flight| flight.message_id == *message)?;
    Some(flight.message.kind())
}

/// The class of a failure. A peer that answers an initial request with 404 and the protocol's own error object is
/// up and has decided; anybody else's 404 may be a service that restarts.
fn class(error: &OutboundError, kind: Kind) -> RetryClass {
    match error {
        OutboundError::Status { status, body_excerpt, .. }
            if kind == Kind::Request
                && status.as_u16() == 404
                && body_excerpt.contains("ContractNegotiationError") =>
        {
            RetryClass::Final
        }
        other => other.class(),
    }
}

/// The peer's process id in the answer to a first message. Later answers are not read: implementations swap the
/// ids in them.
fn peer_pid(record: &NegotiationRecord, answer: &Response) -> Result<Option<PeerPid>, Trouble> {
    if record.process.peer_pid().is_some() {
        return Ok(None);
    }
    let shown: wire::ContractNegotiation = wire::parse(answer.body()).map_err(Trouble::Answer)?;
    Ok(Some(match record.process.role() {
        Role::Consumer => PeerPid::from(shown.provider_pid),
        Role::Provider => PeerPid::from(shown.consumer_pid),
    }))
}
