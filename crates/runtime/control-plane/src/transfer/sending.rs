//! Sends what is in flight, and writes down how that ended.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dsp::{
    process::{InFlight, PeerPid, Role},
    transfer::{self, DataPlaneStep, Kind, Message, State, Step},
    wire,
};
use heddle_outbound::Response;
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::{JobScope, ParticipantScope};

use super::{
    TransferRecord, address,
    settle::{TransferJob, message_name},
};
use crate::{
    ControlPlane,
    delivery::{Beginning, Parcel, Trouble},
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

    /// Posts the message.
    async fn post(
        &self,
        scope: &ParticipantScope,
        record: &TransferRecord,
        flight: &InFlight<Message>,
    ) -> Result<Response, Trouble> {
        let process = &record.process;
        let callback = self.plane.protocol_address(scope.participant(), process.profile());
        let flight = self.plane.open_flight(scope, process, flight).await.map_err(|error| {
            let (reason, class) = address::trouble(&error);
            Trouble::at_home(reason, class)
        })?;
        let outbound = transfer::outbound(process, &flight, &callback)
            .ok_or_else(|| Trouble::last("the peer has not told its process id"))?;
        let beginning = match flight.message.kind() {
            Kind::Request => {
                let left_operands = self.left_operands(scope, record).await.map_err(Trouble::passing)?;
                Some(Beginning { left_operands, error_object: "TransferError" })
            }
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

    /// What the agreement's policy speaks of: the provider evaluates it anew, and asks for what that needs.
    async fn left_operands(
        &self,
        scope: &ParticipantScope,
        record: &TransferRecord,
    ) -> Result<Vec<String>, StoreError> {
        let agreement = self.plane.store.begin(scope).load::<Agreement>(record.agreement.as_str()).await?;
        Ok(agreement.map(|agreement| agreement.left_operands()).unwrap_or_default())
    }

    /// The state of the peer's process.
    async fn peer_state(&self, scope: &ParticipantScope, record: &TransferRecord) -> Option<State> {
        let process = &record.process;
        let url = format!("{}{}", process.counter_party_address(), process.peer_path()?);
        let shown = self.plane.shown_by_peer(scope, process.profile(), (process.counter_party(), url)).await;
        shown.map(|shown: wire::TransferProcess| shown.state)
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
            let ends = !record.process.is_terminal() && step.process.is_terminal();
            // With a termination or a completion of ours, the data plane was told, or told us.
            if ends && sent.is_some_and(|kind| !matches!(kind, Kind::Complete | Kind::Terminate)) {
                let signal = match step.process.state() {
                    Some(State::Completed) => DataPlaneStep::Complete,
                    _ => DataPlaneStep::Terminate,
                };
                // The signal comes first: whoever is told of the end is told when data has stopped.
                record.process = step.process.clone();
                let reason = record.error_detail();
                self.plane.signal(&mut transaction, &mut record, signal, reason);
            }
            self.plane.settle_transfer(&mut transaction, scope, &mut record, step);
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
        let trouble = match sent.and_then(|answer| peer_pid(&record, &answer)) {
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
        let left_before = record.unanswered.as_ref() == Some(&job.message);
        let failure = match self.plane.verdict(&context.job, &trouble, left_before) {
            Verdict::GiveUp(failure) => failure,
            Verdict::Again(after) => {
                let attempt = (message_name(flight.message.kind()), context.job.attempts + 1);
                let about = (job.transfer.as_str(), &job.message);
                self.plane.note_attempt::<TransferRecord>(scope, about, &trouble, attempt).await?;
                return Ok(Outcome::Retry { error: trouble.reason, after });
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

fn in_flight_kind(record: &TransferRecord, job: &TransferJob) -> Option<Kind> {
    let flight = record.process.in_flight().filter(|flight| flight.message_id == job.message)?;
    Some(flight.message.kind())
}

/// The peer's process id in the answer to a request. All other messages need it; a peer answers a repeat of the request
/// alike, and may do better then.
fn peer_pid(record: &TransferRecord, answer: &Response) -> Result<Option<PeerPid>, Trouble> {
    if record.process.peer_pid().is_some() || record.process.role() == Role::Provider {
        return Ok(None);
    }
    let shown: wire::TransferProcess =
        wire::parse(answer.body()).map_err(|error| Trouble::unreadable(&error))?;
    Ok(Some(PeerPid::from(shown.provider_pid)))
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, http::StatusCode};
    use heddle_dsp::transfer::{Flow, Setup, TransferProcess};
    use heddle_ids::TransferProcessId;
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;
    use crate::tests::{House, KEY};

    #[tokio::test]
    async fn whose_transfer_request_is_not_believed_is_told_what_its_credentials_lack() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let nothing = || async { (StatusCode::NOT_FOUND, Json(json!({"@type": "TransferError"}))) };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(nothing)).await });
        let house = House::beside(&url).await;
        house.prove_by("dcp").await;
        let mut transaction = house.plane.store.begin(&house.own);
        let now = transaction.now();
        let setup = Setup {
            id: TransferProcessId::from_parts(1, [1; 10]),
            role: Role::Consumer,
            counter_party: KEY.parse().expect("legal"),
            profile: house.addressed().await.profile.name,
            agreement_id: "urn:uuid:a".parse().expect("legal"),
            dataset: "data".parse().expect("legal"),
            format: "Http-PULL".to_owned(),
            flow: Flow::Pull,
            counter_party_address: url,
        };
        let (agreement, own, plane) = ("a".parse(), "did:web:provider".parse(), "dp".parse());
        let mut record = TransferRecord::new(
            TransferProcess::new(setup, now),
            agreement.expect("legal"),
            own.expect("legal"),
            plane.expect("legal"),
        );
        let id = house.plane.message_id();
        let step = transfer::send(&record.process, Message::Request(None), id, now).expect("legal");
        house.plane.settle_transfer(&mut transaction, &house.own, &mut record, step);
        transaction.insert(&record);
        transaction.commit().await.expect("commits");
        let ended = house.work::<TransferRecord>(|record| record.process.is_terminal()).await;
        let why = ended.error_detail().expect("why");
        assert!(why.contains("404") && why.ends_with("; a credential has expired"), "{why}");
    }
}
