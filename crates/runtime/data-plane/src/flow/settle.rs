//! One step of a flow becomes true: stored, published, told, and known to the proxy.

use heddle_dps::{
    State,
    flow::{Answer, Callback, Step},
};
use heddle_ids::MessageId;
use heddle_store::{Loaded, NewEvent, NewJob, Transaction};
use heddle_tenancy::ParticipantScope;
use serde::Serialize;

use super::{
    Answered, CALLBACK, FORGET, FlowRecord, SignalError, address::SealedAddress, callback::CallbackJob,
    forget::ForgetJob,
};
use crate::{DataPlane, control_planes::RegisteredControlPlane, table::DIRECTORY, telling};

/// A step on its way: the flow before it, and what was sealed for it.
pub(super) struct Draft<'s> {
    pub(super) transaction: Transaction<'s>,
    pub(super) loaded: Option<Loaded<FlowRecord>>,
    pub(super) record: FlowRecord,
    pub(super) sealed: Option<SealedAddress>,
}

/// Payload of `data.flow.*` events.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlowEvent<'a> {
    data_flow_id: &'a str,
    participant_context_id: &'a str,
    counter_party_id: &'a str,
    dataset_id: &'a str,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl DataPlane {
    /// Commits a step, and then lets the proxy know.
    pub(super) async fn settle(
        &self,
        scope: &ParticipantScope,
        draft: Draft<'_>,
        step: Step,
    ) -> Result<Answered, SignalError> {
        let Draft { mut transaction, loaded, mut record, sealed } = draft;
        let (flow, answer, callback) = match step {
            Step::Again(answer) => {
                drop(transaction);
                return self.answered(scope, &record, answer).await;
            }
            Step::Moved { flow, answer, callback } => (*flow, answer, callback),
        };
        let before = loaded.as_ref().map(|loaded| loaded.flow.state());
        record.flow = flow;
        record.revision += 1;
        let mut forgotten = match sealed {
            Some(sealed) => record.add_address(sealed.handle),
            None => Vec::new(),
        };
        let over = record.flow.state().is_terminal();
        if over {
            forgotten.append(&mut record.addresses);
        }
        match &loaded {
            Some(loaded) => transaction.save(loaded, &record),
            None => transaction.insert(&record),
        }
        let live = record.live(scope.participant());
        match &live {
            Some(_) if over => transaction.withdraw(DIRECTORY, record.flow.id().as_str()),
            Some(live) => transaction.publish(live.row(record.flow.id().as_str())),
            None => {}
        }
        if !forgotten.is_empty() {
            let job = ForgetJob { flow: record.flow.id().clone(), handles: forgotten };
            transaction.enqueue(NewJob::new(FORGET, format!("flow-addresses/{}", job.flow), &job));
        }
        if let Some(callback) = callback {
            self.call_back(&mut transaction, &record, callback).await?;
        }
        if before != Some(record.flow.state()) {
            tell(&mut transaction, scope, &record);
        }
        transaction.commit().await?;
        match live {
            Some(live) if over => self.table.end(record.flow.id().as_str(), live),
            Some(live) => self.table.take(record.flow.id().as_str(), live),
            None => {}
        }
        self.answered(scope, &record, answer).await
    }

    /// The answer with the address that its stub stands for.
    pub(super) async fn answered(
        &self,
        scope: &ParticipantScope,
        record: &FlowRecord,
        mut answer: Answer,
    ) -> Result<Answered, SignalError> {
        let id = record.flow.id().clone();
        if let Some(stub) = answer.data_address.take() {
            let address = self.unseal(scope, &id, &stub).await?;
            let gone = || SignalError::Conflict("the address of that answer is not kept any more".to_owned());
            answer.data_address = Some(address.ok_or_else(gone)?);
        }
        Ok(Answered { id, answer })
    }

    async fn call_back(
        &self,
        transaction: &mut Transaction<'_>,
        record: &FlowRecord,
        callback: Callback,
    ) -> Result<(), SignalError> {
        let message_id = format!("urn:uuid:{}", self.environment.uuid());
        let message_id = MessageId::parse(message_id).expect("a UUID is an identifier");
        let plane = transaction.load::<RegisteredControlPlane>(&record.control_plane).await?;
        let job = CallbackJob { flow: record.flow.id().clone(), message_id, callback };
        let mut job = NewJob::new(CALLBACK, record.order_key(), &job);
        // For fairness among the hosts that are called.
        job.host = plane.and_then(|plane| plane.host().map(str::to_owned));
        transaction.enqueue(job);
        Ok(())
    }
}

pub(super) fn tell(transaction: &mut Transaction<'_>, scope: &ParticipantScope, record: &FlowRecord) {
    let (terms, state) = (record.flow.terms(), record.flow.state());
    let event = FlowEvent {
        data_flow_id: terms.id.as_str(),
        participant_context_id: scope.participant().as_str(),
        counter_party_id: terms.counter_party.as_str(),
        dataset_id: terms.dataset_id.as_str(),
        state,
        reason: record.flow.reason(),
    };
    telling::moved(transaction, scope, record);
    let kind = format!("data.flow.{}", state.as_str().to_ascii_lowercase());
    transaction.emit(NewEvent::new(kind, terms.id.as_str(), &event));
}
