//! What the owner of a transfer asks for.

use heddle_dsp::{
    process::{Explanation, Role},
    transfer::{self, DataPlaneStep, Message, Refused, Setup, TransferProcess},
};
use heddle_ids::TransferProcessId;
use heddle_store::Transaction;
use heddle_tenancy::ParticipantScope;
use serde_json::{Map, Value};

use super::{TransferRecord, inbound::flow_of, record::Waiting};
use crate::{
    ControlPlane,
    model::{Agreement, DataplaneMetadata},
    negotiation::CommandError,
    parts::Addressed,
};

/// A transfer to begin as consumer.
#[derive(Debug, Clone)]
pub(crate) struct NewTransfer {
    /// The id that the client chose, if any.
    pub(crate) id: Option<TransferProcessId>,
    /// The base address of the provider's protocol endpoints.
    pub(crate) counter_party_address: String,
    /// Our own id of the agreement.
    pub(crate) contract: String,
    /// The transfer type: a format of the dataset.
    pub(crate) transfer_type: String,
    /// Hints for the data plane.
    pub(crate) metadata: DataplaneMetadata,
    /// Callback addresses as the client gave them.
    pub(crate) callback_addresses: Vec<Value>,
    /// Properties that never leave the participant.
    pub(crate) private_properties: Map<String, Value>,
}

impl From<Refused> for CommandError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Illegal { .. } | Refused::Busy { .. } => Self::Conflict(refused.to_string()),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl ControlPlane {
    /// Begins a transfer: its data plane prepares, then the request goes out.
    pub(crate) async fn begin_transfer(
        &self,
        transaction: &mut Transaction<'_>,
        addressed: &Addressed,
        new: NewTransfer,
    ) -> Result<TransferRecord, CommandError> {
        let invalid = |what: String| CommandError::Invalid(what);
        let agreement = transaction
            .load::<Agreement>(&new.contract)
            .await?
            .filter(|agreement| agreement.role == Role::Consumer)
            .ok_or_else(|| invalid(format!("Contract agreement with id {} not found", new.contract)))?;
        if agreement.profile != addressed.profile.name {
            let (id, profile) = (&new.contract, &agreement.profile);
            return Err(invalid(format!(
                "the agreement {id} counts under the dataspace profile {profile} alone"
            )));
        }
        let flow = flow_of(&new.transfer_type).ok_or_else(|| {
            invalid(format!("the transfer type '{}' names no direction", new.transfer_type))
        })?;
        let data_plane = self
            .choose_data_plane(transaction, &new.transfer_type, &new.metadata.labels)
            .await?
            .ok_or_else(|| {
                invalid(format!(
                    "no data plane is registered that serves '{}'; register one",
                    new.transfer_type
                ))
            })?;
        let now = transaction.now();
        let (ms, random) = self.environment.id_parts();
        let setup = Setup {
            id: new.id.unwrap_or_else(|| TransferProcessId::from_parts(ms, random)),
            role: Role::Consumer,
            counter_party: agreement.provider.clone(),
            profile: addressed.profile.name.clone(),
            agreement_id: agreement.shared_id.clone(),
            dataset: agreement.asset.clone(),
            format: new.transfer_type,
            flow,
            counter_party_address: new.counter_party_address.trim_end_matches('/').to_owned(),
        };
        let process = TransferProcess::new(setup, now);
        let participant = addressed.recipient.identity().clone();
        let mut record = TransferRecord::new(process, agreement.id.clone(), participant, data_plane.id);
        record.metadata = new.metadata;
        record.callback_addresses = new.callback_addresses;
        record.private_properties = new.private_properties;
        self.signal(transaction, &mut record, DataPlaneStep::Prepare, None);
        transaction.insert(&record);
        Ok(record)
    }

    /// Suspends a transfer: data stops, then the peer is told.
    pub(crate) async fn suspend_transfer(
        &self,
        scope: &ParticipantScope,
        id: &str,
        reason: Option<String>,
    ) -> Result<(), CommandError> {
        let explanation = Explanation::new(
            "suspended-by-owner",
            reason.clone().unwrap_or_else(|| "suspended by its owner".to_owned()),
        );
        self.stop_transfer(scope, id, Message::Suspend(explanation), (DataPlaneStep::Suspend, reason)).await
    }

    /// Ends a transfer: data stops, then the peer is told.
    pub(crate) async fn terminate_transfer(
        &self,
        scope: &ParticipantScope,
        id: &str,
        reason: Option<String>,
    ) -> Result<(), CommandError> {
        let explanation = Explanation::new(
            "terminated-by-owner",
            reason.clone().unwrap_or_else(|| "ended by its owner".to_owned()),
        );
        self.stop_transfer(scope, id, Message::Terminate(explanation), (DataPlaneStep::Terminate, reason))
            .await
    }

    async fn stop_transfer(
        &self,
        scope: &ParticipantScope,
        id: &str,
        message: Message,
        (signal, reason): (DataPlaneStep, Option<String>),
    ) -> Result<(), CommandError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<TransferRecord>(id).await?.ok_or(CommandError::NotFound)?;
        let mut record = loaded.value().clone();
        let (process, now) = (&loaded.process, transaction.now());
        let step = match message {
            // The data plane is still preparing: the peer knows of nothing.
            Message::Terminate(explanation) if process.state().is_none() && process.in_flight().is_none() => {
                transfer::withdrawn(process, explanation, now)
            }
            message => transfer::send(process, message, self.message_id(), now)?,
        };
        // The signal is added first: no byte flows any more when the peer learns of it.
        self.signal(&mut transaction, &mut record, signal, reason);
        self.settle_transfer(&mut transaction, scope, &mut record, step);
        transaction.save(&loaded, &record);
        Ok(transaction.commit().await?)
    }

    /// Resumes a suspended transfer: the owner of the address renews it, the other party asks for it.
    pub(crate) async fn resume_transfer(
        &self,
        scope: &ParticipantScope,
        id: &str,
    ) -> Result<(), CommandError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<TransferRecord>(id).await?.ok_or(CommandError::NotFound)?;
        let mut record = loaded.value().clone();
        let (now, process) = (transaction.now(), &loaded.process);
        if record.pending_stop().is_some_and(|stop| stop.waiting == Waiting::Events) {
            return Err(CommandError::Conflict(format!(
                "the data plane {} has not been told of the suspension yet; resume when it has answered",
                record.data_plane
            )));
        }
        if process.role() == process.flow().address_owner() {
            // Whether it may be sent at all is asked before the data plane acts.
            let legal = process.may_send().contains(&transfer::Kind::Start)
                && process.state() == Some(transfer::State::Suspended);
            if !legal {
                return Err(CommandError::Conflict(format!(
                    "a transfer can be resumed in SUSPENDED, and this one is {}",
                    loaded.management_state()
                )));
            }
            self.signal(&mut transaction, &mut record, DataPlaneStep::Resume, None);
        } else {
            let step = transfer::send(process, Message::Start(None), self.message_id(), now)?;
            self.settle_transfer(&mut transaction, scope, &mut record, step);
        }
        transaction.save(&loaded, &record);
        Ok(transaction.commit().await?)
    }
}
