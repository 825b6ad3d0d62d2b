//! Signals about flows that exist.

use heddle_dps::{
    flow::{self, Admission, Answer, Event, Kind},
    wire::DataAddress,
};
use heddle_ids::{DataFlowId, MessageId};
use heddle_tenancy::ParticipantScope;

use super::{ATTEMPTS_MAX, FlowRecord, SignalError, address::SealedAddress, settle::Draft};
use crate::{DataPlane, telling};

/// The answer to a signal, and the flow that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) id: DataFlowId,
    /// With the address itself, where the answer has one.
    pub(crate) answer: Answer,
}

/// Something that happens to a flow that exists.
#[derive(Debug, Clone)]
pub(crate) enum Signal {
    /// The provider has started; in pull with its address.
    Started(Option<DataAddress>),
    /// Held, and why.
    Suspend(Option<String>),
    /// Goes on; for the side that does not own the address with the new one.
    Resume(Option<DataAddress>),
    /// All data has moved, says the control plane.
    Completed,
    /// Ended, and why.
    Terminate(Option<String>),
    /// All data has moved, says an application of the participant.
    OwnCompletion,
}

impl Signal {
    const fn kind(&self) -> Kind {
        match self {
            Self::Started(_) => Kind::Started,
            Self::Suspend(_) => Kind::Suspend,
            Self::Resume(_) => Kind::Resume,
            Self::Completed => Kind::Completed,
            Self::Terminate(_) => Kind::Terminate,
            Self::OwnCompletion => Kind::OwnCompletion,
        }
    }

    /// The address that the control plane sent.
    const fn given(&self) -> Option<&DataAddress> {
        match self {
            Self::Started(address) | Self::Resume(address) => address.as_ref(),
            _ => None,
        }
    }

    fn event(&self, given: Option<DataAddress>, issued: Option<DataAddress>) -> Event {
        match self {
            Self::Started(_) => Event::Started { given },
            Self::Suspend(reason) => Event::Suspend { reason: reason.clone() },
            Self::Resume(_) => Event::Resume { given, issued },
            Self::Completed => Event::Completed,
            Self::Terminate(reason) => Event::Terminate { reason: reason.clone() },
            Self::OwnCompletion => Event::OwnCompletion,
        }
    }
}

/// Who gives a signal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By<'a> {
    /// A control plane, which reaches its own flows alone.
    ControlPlane(&'a str),
    /// An application of the participant.
    Application,
}

impl DataPlane {
    /// Any signal about a flow that exists.
    pub(crate) async fn signal_flow(
        &self,
        scope: &ParticipantScope,
        by: By<'_>,
        id: &DataFlowId,
        signal: &Signal,
        message_id: Option<&MessageId>,
    ) -> Result<Answered, SignalError> {
        for _ in 0..ATTEMPTS_MAX {
            match self.try_signal(scope, by, id, signal, message_id).await {
                Err(error) if error.is_race() => {}
                other => return other,
            }
        }
        Err(SignalError::busy())
    }

    async fn try_signal(
        &self,
        scope: &ParticipantScope,
        by: By<'_>,
        id: &DataFlowId,
        signal: &Signal,
        message_id: Option<&MessageId>,
    ) -> Result<Answered, SignalError> {
        let mut transaction = self.store.begin(scope);
        let now = transaction.now();
        let loaded = transaction.load::<FlowRecord>(id.as_str()).await?.ok_or(SignalError::NotFound)?;
        if let By::ControlPlane(plane) = by
            && loaded.control_plane != plane
        {
            return Err(SignalError::NotFound);
        }
        let mut record = loaded.value().clone();
        let admission = flow::admit(&record.flow, signal.kind(), message_id)?;
        if let Admission::Replay(answer) = admission {
            drop(transaction);
            return self.answered(scope, &record, answer).await;
        }
        let owner = record.flow.owns_address();
        let (mut given, mut issued, mut sealed) = (None, None, None);
        if owner && signal.kind() == Kind::Resume {
            if admission == Admission::Fresh {
                let address = self.issue(&mut transaction, &mut record).await?;
                issued = Some(address.stub());
                sealed = Some(address);
            }
        } else if let Some(address) = signal.given() {
            let address = self.seal(&mut transaction, id, address.clone()).await?;
            given = Some(SealedAddress::stub(&address));
            sealed = Some(address);
        }
        let step = flow::apply(&record.flow, signal.event(given, issued), message_id, now)?;
        telling::received(&mut transaction, &record.flow, signal.kind());
        self.settle(scope, Draft { transaction, loaded: Some(loaded), record, sealed }, step).await
    }
}
