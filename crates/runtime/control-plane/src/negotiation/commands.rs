//! What the owner of a negotiation asks for.

use heddle_dsp::{
    negotiation::{self, Message, Negotiation, Refused, Setup},
    process::{Explanation, Role},
};
use heddle_ids::{AssetId, NegotiationId, ParticipantId};
use heddle_odrl::Policy;
use heddle_store::{StoreError, Transaction};
use heddle_tenancy::ParticipantScope;
use serde_json::Value;

use super::NegotiationRecord;
use crate::{ControlPlane, parts::Addressed};

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// There is no such process.
    #[error("there is no such negotiation")]
    NotFound,
    /// The state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// What was asked is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refused> for CommandError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Illegal { .. } | Refused::Busy { .. } => Self::Conflict(refused.to_string()),
            other => Self::Invalid(other.to_string()),
        }
    }
}

/// A negotiation to begin as consumer.
#[derive(Debug, Clone)]
pub(crate) struct NewNegotiation {
    /// The base address of the provider's protocol endpoints.
    pub(crate) counter_party_address: String,
    /// The provider (the offer's assigner).
    pub(crate) counter_party: ParticipantId,
    /// The offer to request, with its target.
    pub(crate) offer: Policy,
    /// Callback addresses as the client gave them.
    pub(crate) callback_addresses: Vec<Value>,
}

impl ControlPlane {
    /// Begins a negotiation: stores it, and the job that sends its request.
    pub(crate) fn begin_negotiation(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &ParticipantScope,
        addressed: &Addressed,
        new: NewNegotiation,
    ) -> Result<NegotiationRecord, CommandError> {
        let now = transaction.now();
        let (ms, random) = self.environment.id_parts();
        let target = new.offer.target.clone().unwrap_or_default();
        let setup = Setup {
            id: NegotiationId::from_parts(ms, random),
            role: Role::Consumer,
            participant: addressed.recipient.identity().clone(),
            counter_party: new.counter_party,
            profile: addressed.profile.name.clone(),
            dataset: AssetId::parse(target).map_err(|error| CommandError::Invalid(error.to_string()))?,
            counter_party_address: new.counter_party_address.trim_end_matches('/').to_owned(),
        };
        let mut record = NegotiationRecord::new(Negotiation::new(setup, now));
        record.callback_addresses = new.callback_addresses;
        let request = Message::Request(Box::new(new.offer));
        let step = negotiation::send(&record.process, request, self.message_id(), now)?;
        self.settle_negotiation(transaction, scope, &mut record, step);
        transaction.insert(&record);
        Ok(record)
    }

    /// Ends a negotiation; the peer is told.
    pub(crate) async fn terminate_negotiation(
        &self,
        scope: &ParticipantScope,
        id: &str,
        reason: Option<String>,
    ) -> Result<(), CommandError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<NegotiationRecord>(id).await?.ok_or(CommandError::NotFound)?;
        let now = transaction.now();
        let explanation = Explanation::new(
            "terminated-by-owner",
            reason.unwrap_or_else(|| "ended by its owner".to_owned()),
        );
        let message = Message::Terminate(explanation);
        let step = negotiation::send(&loaded.process, message, self.message_id(), now)?;
        let mut record = loaded.value().clone();
        self.settle_negotiation(&mut transaction, scope, &mut record, step);
        transaction.save(&loaded, &record);
        Ok(transaction.commit().await?)
    }
}
