//! Messages of peers about transfers: prove who it is, apply, store with what follows, answer.

use std::time::Duration;

use heddle_dsp::{
    process::{Inbound, PeerPid, Role},
    transfer::{self, DataPlaneStep, Flow, Message, Refused, Setup, TransferProcess},
    wire,
};
use heddle_ids::TransferProcessId;
use heddle_store::{Loaded, Query, StoreError, Transaction};
use heddle_tenancy::TransferPeer;

use super::{
    TransferRecord,
    decision::{Grounds, Refusal},
    settle::message_name,
};
use crate::{
    ControlPlane,
    denial::Denied,
    identity::Proven,
    model::{Agreement, DataPlane},
    negotiation::ProtocolError,
    parts::Addressed,
    telling::{self, About},
    trace::{DecisionTrace, Direction, Traced},
};

/// How often a message is applied anew when somebody else changes the process at the same moment.
const ATTEMPTS_MAX: u32 = 8;
/// How long a message waits for a step of the data plane before its sender is told to come again.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// A transfer request of a consumer.
pub(crate) struct InboundTransfer {
    /// The message.
    pub(crate) message: wire::TransferRequestMessage,
}

impl From<Refused> for ProtocolError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Busy { .. } => Self::Busy(refused.to_string()),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// The direction that a transfer type names: `…-PUSH`, `…-PULL` or a profile URL that ends so.
pub(super) fn flow_of(format: &str) -> Option<Flow> {
    let lower = format.to_ascii_lowercase();
    let named = |direction: &str| lower.split(['-', '_']).any(|part| part == direction);
    match (named("pull"), named("push")) {
        (true, false) => Some(Flow::Pull),
        (false, true) => Some(Flow::Push),
        _ => None,
    }
}

impl ControlPlane {
    /// Takes a consumer's transfer request. A repeat is answered as the first one was.
    pub(crate) async fn receive_transfer_request(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        request: InboundTransfer,
    ) -> Result<Box<TransferRecord>, ProtocolError> {
        let agreement = &request.message.agreement_id;
        let proven = match self.identity.verify_under(addressed, authorization, agreement).await {
            Ok(proven) => proven,
            Err(unproven) => {
                self.deny_unproven(addressed, ("transfer", Some(agreement.as_str())), &unproven).await?;
                return Err(unproven.into());
            }
        };
        let scope = self.scopes.transfer_peer(&proven.peer);
        for _ in 0..ATTEMPTS_MAX {
            match self.take_transfer_request(addressed, &scope, &proven, &request).await {
                Err(ProtocolError::Store(StoreError::Duplicate { .. } | StoreError::Stale { .. })) => {}
                other => return other,
            }
        }
        Err(ProtocolError::Busy("the request could not be stored; try again".to_owned()))
    }

    async fn take_transfer_request(
        &self,
        addressed: &Addressed,
        scope: &TransferPeer,
        proven: &Proven,
        request: &InboundTransfer,
    ) -> Result<Box<TransferRecord>, ProtocolError> {
        let message = &request.message;
        let mut transaction = self.store.begin(scope);
        let key = TransferRecord::key(scope.peer(), &message.consumer_pid);
        if let Some(known) = transaction.load_by_key::<TransferRecord>(&key).await? {
            return addressed_to(known, addressed).map(|known| Box::new(known.into_value()));
        }
        if !addressed.hold(&mut transaction).await? {
            return Err(ProtocolError::NotFound);
        }
        let now = transaction.now();
        let mut trace = DecisionTrace::default();
        trace.add(now, received(transfer::Kind::Request));
        trace.add_checks(now, &proven.checks);
        let Grounds { agreement, metadata, flow, data_plane } =
            match self.consider_transfer(&mut transaction, addressed, proven, message, &mut trace).await? {
                Ok(grounds) => grounds,
                Err(Refusal { told, reason }) => {
                    let (counter_party, subject) =
                        (scope.peer().as_str(), Some(message.agreement_id.as_str()));
                    let denied = Denied { request: "transfer", counter_party, subject, reason, trace };
                    self.deny(addressed, denied).await?;
                    return Err(ProtocolError::Refused(told));
                }
            };
        let setup = self.provider_setup(addressed, scope, message, flow, &agreement);
        let process = TransferProcess::new(setup, now);
        let participant = addressed.recipient.identity().clone();
        let mut record = TransferRecord::new(process, agreement.id.clone(), participant, data_plane.id);
        record.metadata = metadata;
        record.claims = proven.peer.claims().clone();
        telling::received(
            &mut transaction,
            About::from(&record.process),
            message_name(transfer::Kind::Request),
        );
        record.trace = trace;
        let mut inbound = inbound(message);
        inbound.message = self.seal_message(scope, record.process.id().as_str(), inbound.message).await?;
        let step = transfer::receive(&record.process, inbound, now)?;
        self.settle_transfer(&mut transaction, scope, &mut record, step);
        self.signal(&mut transaction, &mut record, DataPlaneStep::Start, None);
        transaction.insert(&record);
        transaction.commit().await?;
        Ok(Box::new(record))
    }

    fn provider_setup(
        &self,
        addressed: &Addressed,
        scope: &TransferPeer,
        message: &wire::TransferRequestMessage,
        flow: Flow,
        agreement: &Agreement,
    ) -> Setup {
        let (ms, random) = self.environment.id_parts();
        Setup {
            id: TransferProcessId::from_parts(ms, random),
            role: Role::Provider,
            counter_party: scope.peer().clone(),
            profile: addressed.profile.name.clone(),
            agreement_id: message.agreement_id.clone(),
            dataset: agreement.asset.clone(),
            format: message.format.clone(),
            flow,
            counter_party_address: message.callback_address.trim_end_matches('/').to_owned(),
        }
    }

    /// The first registered data plane that serves the transfer type with these labels.
    pub(super) async fn choose_data_plane(
        &self,
        transaction: &mut Transaction<'_>,
        transfer_type: &str,
        labels: &[String],
    ) -> Result<Option<DataPlane>, StoreError> {
        let planes = transaction.list::<DataPlane>(&Query::default()).await?;
        let planes = planes.into_iter().map(Loaded::into_value);
        Ok(planes.into_iter().find(|plane| plane.serves(transfer_type, labels)))
    }

    /// Takes any message about a transfer that exists: `id` is the receiver's own id, from the path. Of the process ids
    /// in the body one is the peer's; it counts while it is not known, as when the answer to our request was lost.
    pub(crate) async fn receive_transfer_message(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        id: &str,
        message: (Inbound<Message>, [PeerPid; 2]),
    ) -> Result<Box<TransferRecord>, ProtocolError> {
        let proven = self.identity.verify(addressed, authorization, &[]).await?;
        let scope = self.scopes.transfer_peer(&proven.peer);
        let mut changes = self.store.signals().jobs();
        let give_up = tokio::time::Instant::now() + BUSY_WAIT;
        let mut attempts = 0;
        loop {
            changes.mark_unchanged();
            match self.take_transfer_message((addressed, &scope), &proven, id, message.clone()).await {
                Err(ProtocolError::Store(StoreError::Stale { .. })) if attempts < ATTEMPTS_MAX => {
                    attempts += 1;
                }
                // The step under way ends with a commit that moves the signal, in this process at least.
                Err(ProtocolError::Busy(_)) if tokio::time::Instant::now() < give_up => {
                    drop(tokio::time::timeout(Duration::from_millis(100), changes.changed()).await);
                }
                other => return other,
            }
        }
    }

    async fn take_transfer_message(
        &self,
        (addressed, scope): (&Addressed, &TransferPeer),
        proven: &Proven,
        id: &str,
        (mut message, peer_pids): (Inbound<Message>, [PeerPid; 2]),
    ) -> Result<Box<TransferRecord>, ProtocolError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<TransferRecord>(id).await?.ok_or(ProtocolError::NotFound)?;
        let loaded = addressed_to(loaded, addressed)?;
        let now = transaction.now();
        let (kind, from) = (message.message.kind(), loaded.process.state());
        if loaded.process.peer_pid().is_none() {
            let peer = loaded.process.role().other();
            message.peer_pid = peer_pids.into_iter().find(|pid| pid.role() == peer);
        }
        message.message = self.seal_message(scope, loaded.process.id().as_str(), message.message).await?;
        let step = transfer::receive(&loaded.process, message, now)?;
        if step.replay {
            return Ok(Box::new(loaded.into_value()));
        }
        let mut record = loaded.value().clone();
        telling::received(&mut transaction, About::from(&record.process), message_name(kind));
        record.trace.add(now, received(kind));
        record.claims = proven.peer.claims().clone();
        // A message that crossed our request has acknowledged it first.
        let from = from.or(Some(transfer::State::Requested));
        let untold = self.settle_untold(&mut transaction, &mut record, step);
        self.follow_peer(&mut transaction, scope, &mut record, (from, kind), untold);
        transaction.save(&loaded, &record);
        transaction.commit().await?;
        Ok(Box::new(record))
    }

    /// A transfer as its counter-party may see it.
    pub(crate) async fn shown_transfer(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        id: &str,
    ) -> Result<Box<TransferRecord>, ProtocolError> {
        let proven = self.identity.verify(addressed, authorization, &[]).await?;
        let scope = self.scopes.transfer_peer(&proven.peer);
        let loaded = self.store.begin(&scope).load::<TransferRecord>(id).await?;
        let loaded = addressed_to(loaded.ok_or(ProtocolError::NotFound)?, addressed)?;
        Ok(Box::new(loaded.into_value()))
    }
}

/// As for negotiations: a process belongs to the dataspace profile that it began under.
fn addressed_to(
    loaded: Loaded<TransferRecord>,
    addressed: &Addressed,
) -> Result<Loaded<TransferRecord>, ProtocolError> {
    if *loaded.process.profile() == addressed.profile.name {
        Ok(loaded)
    } else {
        Err(ProtocolError::NotFound)
    }
}

fn received(kind: transfer::Kind) -> Traced {
    Traced::Message { direction: Direction::Received, message: message_name(kind).to_owned() }
}

fn inbound(message: &wire::TransferRequestMessage) -> Inbound<Message> {
    Inbound {
        message: Message::from(message.clone()),
        message_id: message.id.clone(),
        peer_pid: Some(PeerPid::from(message.consumer_pid.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{CONSUMER, House};

    #[tokio::test]
    async fn a_transfer_request_that_comes_after_a_removal_leaves_nothing() {
        let house = House::new().await;
        house.offer().await;
        let addressed = house.addressed().await;
        house.move_out().await;
        let request = House::transfer_request();
        let taken = house.plane.receive_transfer_request(&addressed, Some(CONSUMER), request).await;
        assert!(matches!(taken, Err(ProtocolError::NotFound)), "{taken:?}");
        assert_eq!(house.kept::<TransferRecord>().await, []);
    }

    #[test]
    fn a_transfer_type_names_its_direction() {
        for format in [
            "HttpData-PULL",
            "http-pull",
            "https://w3id.org/dspace-sig/profile/http-pull",
            "any-PULL-response",
        ] {
            assert_eq!(flow_of(format), Some(Flow::Pull), "{format}");
        }
        assert_eq!(flow_of("HttpData-PUSH"), Some(Flow::Push));
        for format in ["HttpData", "", "a-pull-push", "repulling"] {
            assert_eq!(flow_of(format), None, "{format}");
        }
    }
}
