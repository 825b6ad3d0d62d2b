//! What a control plane tells: each signal is one step of the machine, stored with what it changes for the proxy.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_dps::{
    Direction,
    flow::{self, Admission, Answer, Callback, Event, Fault, Flow, Kind, Progress, Refused, Side, Step},
    wire::{DataAddress, DataFlowBaseMessage},
};
use heddle_ids::{AssetId, DataFlowId, MessageId};
use heddle_store::{NewEvent, NewJob, StoreError, Transaction};
use heddle_tenancy::ParticipantScope;
use serde::Serialize;

use super::{CALLBACK, FlowRecord, callback::CallbackJob};
use crate::{
    DataPlane,
    source::Source,
    table::{FlowTable, token_sha256},
};

/// How often a signal is applied anew when somebody else changes the flow at the same moment.
const ATTEMPTS_MAX: u32 = 8;
/// The beginning of every access token, by which scanners recognise a leaked one.
const TOKEN_PREFIX: &str = "hdl_dp_";

/// The answer to a signal, and the flow that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) id: DataFlowId,
    pub(crate) answer: Answer,
}

/// Why a signal was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignalError {
    /// There is no such flow, or not for this control plane: 404.
    #[error("there is no such flow")]
    NotFound,
    /// The signal is not acceptable: 400.
    #[error("{0}")]
    Invalid(String),
    /// The flow's state does not allow it: 409.
    #[error("{0}")]
    Conflict(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refused> for SignalError {
    fn from(refused: Refused) -> Self {
        match refused.fault() {
            Fault::Request => Self::Invalid(refused.to_string()),
            Fault::Conflict | Fault::Ours => Self::Conflict(refused.to_string()),
        }
    }
}

/// Payload of `data.flow.*` events.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlowEvent<'a> {
    data_flow_id: &'a str,
    participant_context_id: &'a str,
    dataset_id: &'a str,
    state: String,
}

impl DataPlane {
    /// Prepare (consumer) or start (provider): opens the flow.
    pub(crate) async fn open_flow(
        &self,
        scope: &ParticipantScope,
        control_plane: &str,
        side: Side,
        message: &DataFlowBaseMessage,
    ) -> Result<Answered, SignalError> {
        for _ in 0..ATTEMPTS_MAX {
            match self.try_open(scope, control_plane, side, message).await {
                Err(SignalError::Store(StoreError::Stale { .. } | StoreError::Duplicate { .. })) => {}
                other => return other,
            }
        }
        Err(SignalError::Conflict("the flow is changing at this moment; try again".to_owned()))
    }

    async fn try_open(
        &self,
        scope: &ParticipantScope,
        control_plane: &str,
        side: Side,
        message: &DataFlowBaseMessage,
    ) -> Result<Answered, SignalError> {
        let kind = if side == Side::Provider { Kind::Start } else { Kind::Prepare };
        let mut transaction = self.store.begin(scope);
        let now = transaction.now();
        let id = message.data_flow_id.clone();
        let loaded = transaction.load::<FlowRecord>(id.as_str()).await?;
        if loaded.as_ref().is_some_and(|record| record.control_plane != control_plane) {
            return Err(SignalError::NotFound);
        }
        let flow = match &loaded {
            Some(record) => record.flow.clone(),
            None => Flow::open(message, side, now),
        };
        if let Admission::Replay(answer) = flow::admit(&flow, kind, Some(&message.message_id))? {
            return Ok(Answered { id, answer });
        }
        let (issued, token) = self.issue_first(&mut transaction, &flow, &message.dataset_id).await?;
        let (given, progress) = (message.data_address.clone(), Progress::Done { issued });
        let event = match kind {
            Kind::Start => Event::Start { given, progress },
            _ => Event::Prepare { given, progress },
        };
        let step = flow::apply(&flow, event, Some(&message.message_id), now)?;
        let record = FlowRecord { flow, control_plane: control_plane.to_owned(), token_sha256: token };
        self.finish(scope, transaction, (loaded, record), step).await.map(|answer| Answered { id, answer })
    }

    /// The address of a pull that this side provides, if the flow is one.
    async fn issue_first(
        &self,
        transaction: &mut Transaction<'_>,
        flow: &Flow,
        dataset: &AssetId,
    ) -> Result<(Option<DataAddress>, Option<String>), SignalError> {
        if flow.side() == Side::Provider && transaction.load::<Source>(dataset.as_str()).await?.is_none() {
            return Err(SignalError::Invalid(format!(
                "the dataset '{dataset}' has no source; add one with PUT …/sources/{dataset} or its content"
            )));
        }
        Ok(self.issue(flow))
    }

    /// A new address with a new token, if this side owns addresses of the flow; the token's digest with it.
    fn issue(&self, flow: &Flow) -> (Option<DataAddress>, Option<String>) {
        if !flow.owns_address() || flow.direction() != Direction::Pull {
            return (None, None);
        }
        let token = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(self.environment.random::<32>()));
        let endpoint = format!("{}/public/{}", self.public_url, flow.id());
        let address = DataAddress::new(flow.terms().profile.name(), endpoint)
            .with("authorization", token.clone())
            .with("authType", "bearer");
        (Some(address), Some(token_sha256(&token)))
    }

    /// Any signal about a flow that exists.
    pub(crate) async fn signal_flow(
        &self,
        scope: &ParticipantScope,
        control_plane: Option<&str>,
        id: &str,
        signal: impl Fn(Option<DataAddress>) -> Event,
        message_id: Option<&MessageId>,
    ) -> Result<Answered, SignalError> {
        for _ in 0..ATTEMPTS_MAX {
            match self.try_signal(scope, control_plane, id, &signal, message_id).await {
                Err(SignalError::Store(StoreError::Stale { .. })) => {}
                other => return other,
            }
        }
        Err(SignalError::Conflict("the flow is changing at this moment; try again".to_owned()))
    }

    async fn try_signal(
        &self,
        scope: &ParticipantScope,
        control_plane: Option<&str>,
        id: &str,
        signal: impl Fn(Option<DataAddress>) -> Event,
        message_id: Option<&MessageId>,
    ) -> Result<Answered, SignalError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<FlowRecord>(id).await?.ok_or(SignalError::NotFound)?;
        if control_plane.is_some_and(|plane| plane != loaded.control_plane) {
            return Err(SignalError::NotFound);
        }
        let now = transaction.now();
        let mut record = loaded.value().clone();
        let id = record.flow.id().clone();
        // Only a resume may need a new address; it is made before the machine is asked, and thrown away if it is not.
        let (issued, token) = match signal(None).kind() {
            Kind::Resume => self.issue(&record.flow),
            _ => (None, None),
        };
        let step = flow::apply(&record.flow, signal(issued), message_id, now)?;
        if token.is_some() && matches!(step, Step::Moved { .. }) {
            record.token_sha256 = token;
        }
        self.finish(scope, transaction, (Some(loaded), record), step).await.map(|answer| Answered { id, answer })
    }

    /// Stores a step, and lets the proxy know when it is stored.
    async fn finish(
        &self,
        scope: &ParticipantScope,
        mut transaction: Transaction<'_>,
        (loaded, mut record): (Option<heddle_store::Loaded<FlowRecord>>, FlowRecord),
        step: Step,
    ) -> Result<Answer, SignalError> {
        let (flow, answer, callback) = match step {
            Step::Again(answer) => return Ok(answer),
            Step::Moved { flow, answer, callback } => (flow, answer, callback),
        };
        record.flow = *flow;
        match &loaded {
            Some(loaded) => transaction.save(loaded, &record),
            None => transaction.insert(&record),
        }
        let live = record.live(scope.participant());
        let over = record.flow.state().is_terminal();
        if let Some(live) = &live {
            if over {
                transaction.withdraw(crate::table::DIRECTORY, record.flow.id().as_str());
            } else {
                transaction.publish(FlowTable::row(record.flow.id(), live));
            }
        }
        if let Some(callback) = callback {
            self.call_back(&mut transaction, &record, callback);
        }
        self.tell(&mut transaction, scope, &record);
        transaction.commit().await?;
        match live {
            Some(_) if over => self.table.remove(record.flow.id().as_str()),
            Some(live) => self.table.take(record.flow.id().as_str(), live),
            None => {}
        }
        Ok(answer)
    }

    fn call_back(&self, transaction: &mut Transaction<'_>, record: &FlowRecord, callback: Callback) {
        let message_id = MessageId::parse(format!("urn:uuid:{}", self.environment.uuid()))
            .expect("a UUID is an identifier");
        let job = CallbackJob { flow: record.flow.id().to_string(), message_id, callback };
        transaction.enqueue(NewJob::new(CALLBACK, record.order_key(), &job));
    }

    fn tell(&self, transaction: &mut Transaction<'_>, scope: &ParticipantScope, record: &FlowRecord) {
        let state = record.flow.state().to_string();
        let payload = FlowEvent {
            data_flow_id: record.flow.id().as_str(),
            participant_context_id: scope.participant().as_str(),
            dataset_id: record.flow.terms().dataset_id.as_str(),
            state: state.clone(),
        };
        tracing::info!(
            category = heddle_telemetry::logs::category::MESSAGE,
            component = "data-plane",
            action = "flow.state",
            data_flow_id = %record.flow.id(),
            participant_context_id = %scope.participant(),
            counter_party_id = %record.flow.terms().counter_party,
            state,
            "a flow moved"
        );
        let kind = format!("data.flow.{}", state.to_ascii_lowercase());
        transaction.emit(NewEvent::new(kind, record.flow.id().as_str(), &payload));
    }
}
