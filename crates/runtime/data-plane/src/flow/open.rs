//! Prepare and start: what opens a flow.

use heddle_dps::{
    Direction,
    flow::{self, Admission, Event, Flow, Kind, Progress, Side},
    profile::HTTP,
    wire::DataFlowBaseMessage,
};
use heddle_store::Transaction;
use heddle_tenancy::ParticipantScope;

use super::{
    ATTEMPTS_MAX, AccessToken, Answered, FlowRecord, SignalError, address::SealedAddress, settle::Draft,
};
use crate::{DataPlane, source::Source, telling};

impl DataPlane {
    /// Prepare (consumer) or start (provider). The same message again gets the same answer, with the same address;
    /// another one for a flow that exists is a conflict.
    pub(crate) async fn open_flow(
        &self,
        scope: &ParticipantScope,
        control_plane: &str,
        side: Side,
        message: &DataFlowBaseMessage,
    ) -> Result<Answered, SignalError> {
        check_profile(message)?;
        for _ in 0..ATTEMPTS_MAX {
            match self.try_open(scope, control_plane, side, message).await {
                Err(error) if error.is_race() => {}
                other => return other,
            }
        }
        Err(SignalError::busy())
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
        let loaded = transaction.load::<FlowRecord>(message.data_flow_id.as_str()).await?;
        let mut record = match &loaded {
            Some(loaded) if loaded.control_plane != control_plane => return Err(SignalError::NotFound),
            Some(loaded) => loaded.value().clone(),
            None => FlowRecord::new(Flow::open(message, side, now), control_plane),
        };
        if !self.hold_registration(&mut transaction, Some(control_plane)).await? {
            let what = format!("the control plane '{control_plane}' is not registered any more");
            return Err(SignalError::Conflict(what));
        }
        if let Admission::Replay(answer) = flow::admit(&record.flow, kind, Some(&message.message_id))? {
            drop(transaction);
            return self.answered(scope, &record, answer).await;
        }
        let sealed = match kind {
            Kind::Start if message.data_address.is_none() => {
                self.need_source(&mut transaction, message).await?;
                Some(self.issue(&mut transaction, &mut record).await?)
            }
            _ => None,
        };
        let progress = Progress::Done { issued: sealed.as_ref().map(SealedAddress::stub) };
        let given = message.data_address.clone();
        let event = match kind {
            Kind::Start => Event::Start { given, progress },
            _ => Event::Prepare { given, progress },
        };
        let step = flow::apply(&record.flow, event, Some(&message.message_id), now)?;
        telling::received(&mut transaction, &record.flow, kind);
        self.settle(scope, Draft { transaction, loaded, record, sealed }, step).await
    }

    async fn need_source(
        &self,
        transaction: &mut Transaction<'_>,
        message: &DataFlowBaseMessage,
    ) -> Result<(), SignalError> {
        let dataset = &message.dataset_id;
        match transaction.load::<Source>(dataset.as_str()).await? {
            Some(_) => Ok(()),
            None => Err(SignalError::Invalid(format!(
                "dataset '{dataset}' has no source; upload its bytes with PUT …/sources/{{datasetId}}/content, or \
                 describe an HTTP origin with PUT …/sources/{{datasetId}}"
            ))),
        }
    }

    /// A new address with a new token, sealed in this commit; earlier tokens of the flow open nothing any more.
    pub(super) async fn issue(
        &self,
        transaction: &mut Transaction<'_>,
        record: &mut FlowRecord,
    ) -> Result<SealedAddress, SignalError> {
        let token = AccessToken::issue(&self.environment);
        let (id, profile) = (record.flow.id().clone(), &record.flow.terms().profile);
        // In the spelling that the control plane knows.
        let address = self.address(&id, profile.as_given(), &token);
        record.token_sha256 = Some(token.sha256());
        self.seal(transaction, &id, address).await
    }
}

/// "A data plane MUST NOT advertise a direction it does not support", and does not serve it either.
fn check_profile(message: &DataFlowBaseMessage) -> Result<(), SignalError> {
    let profile = &message.profile;
    if profile.transport() == HTTP && profile.direction() == Direction::Pull {
        return Ok(());
    }
    let supported = format!("{HTTP}{}", Direction::Pull.suffix());
    Err(SignalError::Invalid(format!(
        "this data plane does not move data by '{profile}'; it supports {supported}"
    )))
}
