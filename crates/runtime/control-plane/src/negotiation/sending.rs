//! Sends what is in flight, and writes down how that ended.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dsp::{
    negotiation::{self, Kind, Message, State, Step},
    process::{Failure, InFlight, PeerPid, Role},
    wire,
};
use heddle_ids::MessageId;
use heddle_outbound::Response;
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::{JobScope, ParticipantScope};

use super::{
    NegotiationRecord,
    settle::{SendJob, message_name},
};
use crate::{
    ControlPlane,
    delivery::{Beginning, Parcel, Trouble},
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
        let kind = flight.message.kind();
        let sent = self.post(scope, &record, &flight).await;
        match sent.and_then(|answer| peer_pid(&record, &answer)) {
            Ok(peer_pid) => {
                telling::sent(&About::from(&record.process), message_name(kind));
                self.finish(context, scope, &job, |record, now| {
                    if let Some(kind) = in_flight_kind(record, &job.message) {
                        let message = message_name(kind).to_owned();
                        record.trace.add(now, Traced::Message { direction: Direction::Sent, message });
                    }
                    negotiation::acknowledged(&record.process, &job.message, peer_pid.clone(), now)
                })
                .await
            }
            Err(trouble) => self.trouble(context, scope, &job, (&record, kind), trouble).await,
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

    async fn post(
        &self,
        scope: &ParticipantScope,
        record: &NegotiationRecord,
        flight: &InFlight<Message>,
    ) -> Result<Response, Trouble> {
        let process = &record.process;
        let callback = self.plane.protocol_address(scope.participant(), process.profile());
        let outbound = negotiation::outbound(process, flight, &callback)
            .ok_or_else(|| Trouble::last("the peer has not told its process id"))?;
        let beginning = match &flight.message {
            Message::Request(policy) => Some(Beginning {
                left_operands: policy.left_operands().into_iter().map(str::to_owned).collect(),
                error_object: "ContractNegotiationError",
            }),
            _ => None,
        };
        let parcel = Parcel {
            profile: process.profile(),
            counter_party: process.counter_party(),
            url: format!("{}{}", process.counter_party_address(), outbound.path),
            body: &outbound.body,
            beginning,
        };
        self.plane.deliver(scope, &parcel).await
    }

    async fn trouble(
        &self,
        context: &JobContext,
        scope: &ParticipantScope,
        job: &SendJob,
        (record, kind): (&NegotiationRecord, Kind),
        trouble: Trouble,
    ) -> Result<Outcome, StoreError> {
        let left_before = record.unanswered.as_ref() == Some(&job.message);
        match self.plane.verdict(&context.job, &trouble, left_before) {
            Verdict::GiveUp(failure) => {
                // The peer may have taken the message all the same, and only its answer was lost.
                let peer_state = self.peer_state(scope, record).await;
                self.give_up(context, scope, job, failure, peer_state).await
            }
            Verdict::Again(after) => {
                let (about, attempt) = ((job.negotiation.as_str(), &job.message), context.job.attempts + 1);
                let attempt = (message_name(kind), attempt);
                self.plane.note_attempt::<NegotiationRecord>(scope, about, &trouble, attempt).await?;
                Ok(Outcome::Retry { error: trouble.reason, after })
            }
        }
    }

    /// The state of the peer's process.
    async fn peer_state(&self, scope: &ParticipantScope, record: &NegotiationRecord) -> Option<State> {
        let process = &record.process;
        let url = format!("{}{}", process.counter_party_address(), process.peer_path()?);
        let shown = self.plane.shown_by_peer(scope, process.profile(), (process.counter_party(), url)).await;
        shown.map(|shown: wire::ContractNegotiation| shown.state)
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

fn in_flight_kind(record: &NegotiationRecord, message: &MessageId) -> Option<Kind> {
    let flight = record.process.in_flight().filter(|flight| flight.message_id == *message)?;
    Some(flight.message.kind())
}

/// The peer's process id in the answer to a first message. Later answers are not read: implementations swap the
/// ids in them.
fn peer_pid(record: &NegotiationRecord, answer: &Response) -> Result<Option<PeerPid>, Trouble> {
    if record.process.peer_pid().is_some() {
        return Ok(None);
    }
    let shown: wire::ContractNegotiation =
        wire::parse(answer.body()).map_err(|error| Trouble::unreadable(&error))?;
    Ok(Some(match record.process.role() {
        Role::Consumer => PeerPid::from(shown.provider_pid),
        Role::Provider => PeerPid::from(shown.consumer_pid),
    }))
}
