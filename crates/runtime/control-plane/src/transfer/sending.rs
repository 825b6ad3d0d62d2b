//! Sends what is in flight, and writes down how that ended.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dsp::{
    process::{InFlight, PeerPid, Role},
    transfer::{self, DataPlaneStep, Kind, Message, State, Step},
    wire,
};
use heddle_outbound::{OutboundError, Request, Response, RetryClass};
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::{JobScope, ParticipantScope};

use super::{
    TransferRecord, address,
    settle::{TransferJob, message_name},
};
use crate::{
    ControlPlane,
    model::Agreement,
    patience::Verdict,
    telling::{self, About},
    trace::{Direction, Traced},
};

/// Runs `transfer.send`.
pub(super) struct Sender {
    plane: Arc<ControlPlane>,
}

impl Sender {
    pub(super) fn new(plane: Arc<ControlPlane>) -> Self {
        Self { plane }
    }

    /// Posts the message. A failure comes with its class.
    async fn post(
        &self,
        scope: &ParticipantScope,
        record: &TransferRecord,
        flight: &InFlight<Message>,
    ) -> Result<Response, (String, RetryClass)> {
        let process = &record.process;
        let profile = self.plane.profile(process.profile().as_str()).await;
        let profile = profile
            .map_err(|error| (error.to_string(), RetryClass::Retry { after: None }))?
            .ok_or_else(|| ("the dataspace profile is gone".to_owned(), RetryClass::Final))?;
        let callback = self.plane.protocol_address(scope.participant(), &profile.name);
        let flight = self.plane.open_flight(scope, process, flight).await;
        let flight = flight.map_err(|error| address::trouble(&error))?;
        let outbound = transfer::outbound(process, &flight, &callback)
            .ok_or_else(|| ("the peer has not told its process id".to_owned(), RetryClass::Final))?;
        let operands = match flight.message.kind() {
            Kind::Request => self.left_operands(scope, record).await,
            _ => Ok(Vec::new()),
        };
        let operands = operands.map_err(|error| (error.to_string(), RetryClass::Retry { after: None }))?;
        let authorization =
            self.plane.identity.authorization(scope, &profile, process.counter_party(), &operands).await;
        let authorization = authorization.map_err(|error| {
            let class =
                if error.is_retryable() { RetryClass::Retry { after: None } } else { RetryClass::Final };
            (error.to_string(), class)
        })?;
        let url = format!("{}{}", process.counter_party_address(), outbound.path);
        let request = Request::post(url).json_of(&outbound.body).authorization(authorization);
        self.plane.outbound.send(request).await.map_err(|error| {
            let class = class(&error, flight.message.kind());
            (error.to_string(), class)
        })
    }

    /// What the agreement's policy speaks of: the provider evaluates it anew, and asks for what that needs.
    async fn left_operands(
        &self,
        scope: &ParticipantScope,
        record: &TransferRecord,
    ) -> Result<Vec<String>, StoreError> {
        let agreement = self.plane.store.begin(scope).load::<Agreement>(record.agreement.as_str()).await?;
        Ok(agreement.map(|agreement| agreement.left_operands()).unwrap_or_default())
    }

    /// The state of the peer's process; nothing when the peer does not tell it, for whatever reason.
    async fn peer_state(&self, scope: &ParticipantScope, record: &TransferRecord) -> Option<State> {
        let process = &record.process;
        let path = process.peer_path()?;
        let profile = self.plane.profile(process.profile().as_str()).await.ok()??;
        let identity = &self.plane.identity;
        let authorization =
            identity.authorization(scope, &profile, process.counter_party(), &[]).await.ok()?;
        let url = format!("{}{path}", process.counter_party_address());
        let answer = self.plane.outbound.send(Request::get(url).authorization(authorization)).await.ok()?;
        let shown: wire::TransferProcess = wire::parse(answer.body()).ok()?;
        Some(shown.state)
    }

    /// Lets the owner see what keeps a message. A process that moves at the same moment needs no such note.
    async fn note(
        &self,
        scope: &ParticipantScope,
        job: &TransferJob,
        entry: Traced,
    ) -> Result<(), StoreError> {
        let mut transaction = self.plane.store.begin(scope);
        let Some(loaded) = transaction.load::<TransferRecord>(&job.transfer).await? else { return Ok(()) };
        let mut record = loaded.value().clone();
        record.trace.add(transaction.now(), entry);
        transaction.save(&loaded, &record);
        match transaction.commit().await {
            Err(StoreError::Stale { .. }) => Ok(()),
            other => other,
        }
    }

    /// Applies how sending ended, together with the end of the job.
    async fn finish(
        &self,
        context: &JobContext,
        scope: &ParticipantScope,
        job: &TransferJob,
        step: impl Fn(&mut TransferRecord, heddle_clock::Timestamp) -> Step,
    ) -> Result<Outcome, StoreError> {
        loop {
            let mut transaction = self.plane.store.begin(scope);
            let Some(loaded) = transaction.load::<TransferRecord>(&job.transfer).await? else {
                return Ok(Outcome::Done);
            };
            let now = transaction.now();
            let mut record = loaded.value().clone();
            let sent = in_flight_kind(&record, job);
            let step = step(&mut record, now);
            if step.replay {
                return Ok(Outcome::Done);
            }
            transaction.complete(&context.job);
            let was_terminal = record.process.is_terminal();
            self.plane.settle_transfer(&mut transaction, scope, &mut record, step);
            if !was_terminal
                && record.process.is_terminal()
                && sent.is_some_and(|kind| kind != Kind::Complete)
            {
                let reason = record.error_detail();
                let step = match record.process.state() {
                    Some(State::Completed) => DataPlaneStep::Complete,
                    _ => DataPlaneStep::Terminate,
                };
                if !record.signals.iter().any(|signal| signal.step == step) && sent != Some(Kind::Terminate) {
                    self.plane.signal(&mut transaction, &mut record, step, reason);
                }
            }
            transaction.save(&loaded, &record);
            match transaction.commit().await {
                Err(StoreError::Stale { .. }) => {}
                other => return other.map(|()| Outcome::Completed),
            }
        }
    }
}

#[async_trait]
impl JobHandler for Sender {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "a transfer belongs to a participant".to_owned() });
        };
        let job: TransferJob = context.job.payload()?;
        let loaded = self.plane.store.begin(scope).load::<TransferRecord>(&job.transfer).await?;
        let Some(record) = loaded.map(heddle_store::Loaded::into_value) else { return Ok(Outcome::Done) };
        let flight = record.process.in_flight().filter(|flight| flight.message_id == job.message).cloned();
        let Some(flight) = flight else { return Ok(Outcome::Done) };
        let sent = self.post(scope, &record, &flight).await;
        let (reason, class) = match sent.and_then(|answer| peer_pid(&record, &answer)) {
            Ok(peer_pid) => {
                telling::sent(&About::from(&record.process), message_name(flight.message.kind()));
                return self
                    .finish(context, scope, &job, |record, now| {
                        if let Some(kind) = in_flight_kind(record, &job) {
                            let message = message_name(kind).to_owned();
                            record.trace.add(now, Traced::Message { direction: Direction::Sent, message });
                        }
                        transfer::acknowledged(&record.process, &job.message, peer_pid.clone(), now)
                    })
                    .await;
            }
            Err(trouble) => trouble,
        };
        let age = self.plane.environment.now().since(context.job.created_at);
        let attempt = context.job.attempts + 1;
        let failure = match self.plane.patience.judge(class, attempt, age, &reason) {
            Verdict::GiveUp(failure) => failure,
            Verdict::Again(after) => {
                let message = message_name(flight.message.kind()).to_owned();
                let entry = Traced::Unanswered { message, attempt, reason: reason.clone() };
                self.note(scope, &job, entry).await?;
                return Ok(Outcome::Retry { error: reason, after });
            }
        };
        // The peer may have taken the message all the same, and only its answer was lost.
        let peer_state = self.peer_state(scope, &record).await;
        let notice = self.plane.message_id();
        self.finish(context, scope, &job, |record, now| {
            record.trace.add(now, Traced::Refused { reason: failure.reason().to_owned() });
            if let Some(state) = peer_state.filter(|_| record.process.is_in_flight(&job.message)) {
                record.trace.add(now, Traced::PeerState { state: state.as_str().to_owned() });
                let step = transfer::observed(&record.process, state, now);
                if !step.replay {
                    return step;
                }
            }
            transfer::abandoned(&record.process, &job.message, &failure, notice.clone(), now)
        })
        .await
    }
}

/// As for negotiations: a 404 with the protocol's own error object to an initial request is a decision.
fn class(error: &OutboundError, kind: Kind) -> RetryClass {
    match error {
        OutboundError::Status { status, body_excerpt, .. }
            if kind == Kind::Request && status.as_u16() == 404 && body_excerpt.contains("TransferError") =>
        {
            RetryClass::Final
        }
        other => other.class(),
    }
}

fn in_flight_kind(record: &TransferRecord, job: &TransferJob) -> Option<Kind> {
    let flight = record.process.in_flight().filter(|flight| flight.message_id == job.message)?;
    Some(flight.message.kind())
}

/// The peer's process id in the answer to a request. All other messages need it; a peer answers a repeat of the request
/// alike, and may do better then.
fn peer_pid(record: &TransferRecord, answer: &Response) -> Result<Option<PeerPid>, (String, RetryClass)> {
    if record.process.peer_pid().is_some() || record.process.role() == Role::Provider {
        return Ok(None);
    }
    let shown: wire::TransferProcess = wire::parse(answer.body()).map_err(|error| {
        let reason = format!("the peer has answered without a process id that can be read: {error}");
        (reason, RetryClass::Retry { after: None })
    })?;
    Ok(Some(PeerPid::from(shown.provider_pid)))
}
