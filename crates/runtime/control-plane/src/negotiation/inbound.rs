//! Messages of peers: prove who it is, apply, store with what follows, answer.

use heddle_dsp::{
    negotiation::{self, Message, Negotiation, Refused, Setup, State, Step},
    process::{Inbound, PeerPid, Role},
    wire,
};
use heddle_ids::{MessageId, NegotiationId};
use heddle_odrl::{Policy, PolicyKind};
use heddle_store::{Loaded, StoreError, Transaction};
use heddle_tenancy::{Actor, NegotiationPeer, Scope};

use super::{
    NegotiationRecord,
    decision::{self, Decision},
    settle::message_name,
};
use crate::{
    ControlPlane,
    denial::Denied,
    identity::{Proven, Unproven},
    parts::Addressed,
    telling::{self, About},
    trace::{DecisionTrace, Direction, Traced},
};

/// How often a message is applied anew when somebody else changes the process at the same moment.
const ATTEMPTS_MAX: u32 = 8;

/// Why a message of a peer was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProtocolError {
    /// There is no such thing, or not for this peer: 404.
    #[error("there is no such process")]
    NotFound,
    /// The message is not acceptable: 400.
    #[error("{0}")]
    Refused(String),
    /// It cannot be taken now: 503.
    #[error("{0}")]
    Busy(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unproven> for ProtocolError {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            // DSP 2025-1 §"HTTPS binding": an unauthorised client is answered as if nothing were there.
            Unproven::Refused { .. } => Self::NotFound,
            // Why not is in our log; it may name our vault or our database.
            Unproven::Unavailable(_) => {
                Self::Busy("you cannot be verified at the moment; try again".to_owned())
            }
            Unproven::Store(error) => Self::Store(error),
        }
    }
}

impl From<Refused> for ProtocolError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Busy { .. } => Self::Busy(refused.to_string()),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// An initial request of a consumer.
#[derive(Debug, Clone)]
pub(crate) struct InboundRequest {
    /// The message; its `provider_pid` is absent.
    pub(crate) message: wire::ContractRequestMessage,
}

/// The answer to a message: the process as it is now.
pub(crate) type Answer = Box<NegotiationRecord>;

impl ControlPlane {
    /// Takes a consumer's initial request. A repeat is answered as the first one was.
    pub(crate) async fn receive_request(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        request: InboundRequest,
    ) -> Result<Answer, ProtocolError> {
        let offer = request.message.offer.id.clone().unwrap_or_default();
        let offer = heddle_ids::OfferId::parse(offer).map_err(|e| ProtocolError::Refused(e.to_string()))?;
        let operands = self.operands_of(addressed, &offer).await?;
        let proven = match self.identity.verify(addressed, authorization, &operands).await {
            Ok(proven) => proven,
            Err(unproven) => {
                let subject = request.message.offer.target.as_deref();
                self.deny_unproven(addressed, ("negotiation", subject), &unproven).await?;
                return Err(unproven.into());
            }
        };
        let scope = self.scopes.negotiation_peer(&proven.peer);
        for _ in 0..ATTEMPTS_MAX {
            match self.take_request(addressed, &scope, &proven, &request, &offer).await {
                // Somebody took the same request, or changed what it depends on: look again.
                Err(ProtocolError::Store(StoreError::Duplicate { .. } | StoreError::Stale { .. })) => {}
                other => return other,
            }
        }
        Err(ProtocolError::Busy("the request could not be stored; try again".to_owned()))
    }

    /// The left operands that the policies of an offer speak of: they decide which credentials are asked for,
    /// before anything is known about the peer.
    async fn operands_of(
        &self,
        addressed: &Addressed,
        offer: &heddle_ids::OfferId,
    ) -> Result<Vec<String>, StoreError> {
        let own =
            self.scopes.participant(addressed.recipient.context().clone(), Actor::new("identity service"));
        let offering = decision::load(&mut self.store.begin(&own), offer).await?;
        Ok(offering.map(|offering| offering.left_operands()).unwrap_or_default())
    }

    async fn take_request(
        &self,
        addressed: &Addressed,
        scope: &NegotiationPeer,
        proven: &Proven,
        request: &InboundRequest,
        offer: &heddle_ids::OfferId,
    ) -> Result<Answer, ProtocolError> {
        let mut transaction = self.store.begin(scope);
        let key = NegotiationRecord::key(scope.peer(), &request.message.consumer_pid);
        if let Some(known) = transaction.load_by_key::<NegotiationRecord>(&key).await? {
            return addressed_to(known, addressed).map(|known| Box::new(known.into_value()));
        }
        if !addressed.hold(&mut transaction).await? {
            return Err(ProtocolError::NotFound);
        }
        let now = transaction.now();
        let offering = decision::load(&mut transaction, offer).await?;
        let functions = self.rules.functions().await?;
        let decision = decision::consider(offering, &request.message.offer, &proven.peer, &functions, now);
        let terms = match decision.terms.clone() {
            Ok(terms) => terms,
            Err(reason) => {
                let mut trace = DecisionTrace::default();
                note_decision(&mut trace, now, proven, &decision);
                let subject = request.message.offer.target.as_deref();
                let counter_party = proven.peer.id().as_str();
                let denied = Denied { request: "negotiation", counter_party, subject, reason, trace };
                self.deny(addressed, denied).await?;
                return Err(ProtocolError::NotFound);
            }
        };
        let mut record = self.begin_as_provider(addressed, proven, request)?;
        telling::received(
            &mut transaction,
            About::from(&record.process),
            message_name(negotiation::Kind::Request),
        );
        record.trace.add(
            now,
            Traced::Message {
                direction: Direction::Received,
                message: message_name(negotiation::Kind::Request).to_owned(),
            },
        );
        note_decision(&mut record.trace, now, proven, &decision);
        let step = negotiation::receive(&record.process, inbound(request), now)?;
        self.settle_negotiation(&mut transaction, scope, &mut record, step);
        let step = self.agree(&record, &terms, now)?;
        self.settle_negotiation(&mut transaction, scope, &mut record, step);
        transaction.insert(&record);
        transaction.commit().await?;
        Ok(Box::new(record))
    }

    fn begin_as_provider(
        &self,
        addressed: &Addressed,
        proven: &Proven,
        request: &InboundRequest,
    ) -> Result<NegotiationRecord, ProtocolError> {
        let address = request.message.callback_address.clone().unwrap_or_default();
        if !address.starts_with("https://") && !address.starts_with("http://") {
            return Err(ProtocolError::Refused(format!(
                "the callbackAddress '{address}' is no HTTP address"
            )));
        }
        let target = request.message.offer.target.clone().unwrap_or_default();
        let (ms, random) = self.environment.id_parts();
        let setup = Setup {
            id: NegotiationId::from_parts(ms, random),
            role: Role::Provider,
            participant: addressed.recipient.identity().clone(),
            counter_party: proven.peer.id().clone(),
            profile: addressed.profile.name.clone(),
            dataset: heddle_ids::AssetId::parse(target).map_err(|e| ProtocolError::Refused(e.to_string()))?,
            counter_party_address: address.trim_end_matches('/').to_owned(),
        };
        let mut record = NegotiationRecord::new(Negotiation::new(setup, self.environment.now()));
        record.claims = proven.peer.claims().clone();
        Ok(record)
    }

    /// The provider's agreement to the terms of its own offer.
    pub(super) fn agree(
        &self,
        record: &NegotiationRecord,
        terms: &Policy,
        now: heddle_clock::Timestamp,
    ) -> Result<Step, Refused> {
        let agreement = Policy {
            kind: PolicyKind::Agreement,
            id: Some(format!("urn:uuid:{}", self.environment.uuid())),
            target: Some(record.process.dataset().to_string()),
            assigner: Some(record.process.participant().to_string()),
            assignee: Some(record.process.counter_party().to_string()),
            timestamp: Some(now.to_string()),
            ..terms.clone()
        };
        negotiation::send(&record.process, Message::Agree(Box::new(agreement)), self.message_id(), now)
    }

    /// A new id for a message of ours.
    pub(crate) fn message_id(&self) -> MessageId {
        MessageId::parse(format!("urn:uuid:{}", self.environment.uuid())).expect("a UUID is an identifier")
    }

    /// Takes any message about a process that exists: `id` is the receiver's own id, from the path.
    pub(crate) async fn receive_message(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        id: &str,
        message: Inbound<Message>,
    ) -> Result<Answer, ProtocolError> {
        let proven = self.identity.verify(addressed, authorization, &[]).await?;
        let scope = self.scopes.negotiation_peer(&proven.peer);
        for attempt in 1..=ATTEMPTS_MAX {
            match self.take_message((addressed, &scope), &proven, id, message.clone()).await {
                Err(ProtocolError::Store(StoreError::Stale { .. })) => {}
                // Our agreement may be acknowledged by this message and by its own answer at the same moment; then
                // both keep it. Should it be another one's, looking again does not help.
                Err(ProtocolError::Store(StoreError::Duplicate { .. })) if attempt < ATTEMPTS_MAX => {}
                other => return other,
            }
        }
        Err(ProtocolError::Busy("the process is changing at this moment; try again".to_owned()))
    }

    async fn take_message(
        &self,
        (addressed, scope): (&Addressed, &NegotiationPeer),
        proven: &Proven,
        id: &str,
        message: Inbound<Message>,
    ) -> Result<Answer, ProtocolError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<NegotiationRecord>(id).await?.ok_or(ProtocolError::NotFound)?;
        let loaded = addressed_to(loaded, addressed)?;
        let now = transaction.now();
        let kind = message.message.kind();
        let step = negotiation::receive(&loaded.process, message, now)?;
        if step.replay {
            return Ok(Box::new(loaded.into_value()));
        }
        let mut record = loaded.value().clone();
        telling::received(&mut transaction, About::from(&step.negotiation), message_name(kind));
        record.trace.add(
            now,
            Traced::Message { direction: Direction::Received, message: message_name(kind).to_owned() },
        );
        record.claims = proven.peer.claims().clone();
        self.settle_negotiation(&mut transaction, scope, &mut record, step);
        self.react(&mut transaction, scope, &mut record, now)?;
        transaction.save(&loaded, &record);
        transaction.commit().await?;
        Ok(Box::new(record))
    }

    /// What follows from a state without anybody being asked.
    pub(super) fn react(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut NegotiationRecord,
        now: heddle_clock::Timestamp,
    ) -> Result<(), Refused> {
        if record.process.in_flight().is_some() {
            return Ok(());
        }
        let step = match (record.process.role(), record.process.state()) {
            (Role::Consumer, Some(State::Agreed)) => {
                negotiation::send(&record.process, Message::Verify, self.message_id(), now)?
            }
            (Role::Provider, Some(State::Verified)) => {
                negotiation::send(&record.process, Message::Finalize, self.message_id(), now)?
            }
            (Role::Provider, Some(State::Accepted)) => match record.process.last_offer() {
                Some(offer) => {
                    let terms = offer.policy.clone();
                    self.agree(record, &terms, now)?
                }
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        self.settle_negotiation(transaction, scope, record, step);
        Ok(())
    }

    /// A process as its counter-party may see it.
    pub(crate) async fn shown_negotiation(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        id: &str,
    ) -> Result<Answer, ProtocolError> {
        let proven = self.identity.verify(addressed, authorization, &[]).await?;
        let scope = self.scopes.negotiation_peer(&proven.peer);
        let loaded = self.store.begin(&scope).load::<NegotiationRecord>(id).await?;
        let loaded = addressed_to(loaded.ok_or(ProtocolError::NotFound)?, addressed)?;
        Ok(Box::new(loaded.into_value()))
    }
}

fn note_decision(
    trace: &mut DecisionTrace,
    now: heddle_clock::Timestamp,
    proven: &Proven,
    decision: &Decision,
) {
    trace.add_checks(now, &proven.checks);
    for (name, evaluation) in &decision.evaluations {
        trace.add_evaluation(now, name, evaluation);
    }
}

/// A process belongs to the dataspace profile that it began under: what a peer has proved under another one, with
/// its issuers, says nothing about it.
fn addressed_to(
    loaded: Loaded<NegotiationRecord>,
    addressed: &Addressed,
) -> Result<Loaded<NegotiationRecord>, ProtocolError> {
    if *loaded.process.profile() == addressed.profile.name {
        Ok(loaded)
    } else {
        Err(ProtocolError::NotFound)
    }
}

fn inbound(request: &InboundRequest) -> Inbound<Message> {
    Inbound {
        message: Message::from(request.message.clone()),
        message_id: request.message.id.clone(),
        peer_pid: Some(PeerPid::from(request.message.consumer_pid.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{CONSUMER, House};

    #[tokio::test]
    async fn a_request_that_comes_after_a_removal_leaves_nothing() {
        let house = House::new().await;
        house.offer().await;
        let addressed = house.addressed().await;
        let request = house.request().await;
        let ask = || house.plane.receive_request(&addressed, Some(CONSUMER), request.clone());
        house.move_out().await;
        assert!(matches!(ask().await, Err(ProtocolError::NotFound)));
        // A context of the same id is another one.
        house.move_in().await;
        assert!(matches!(ask().await, Err(ProtocolError::NotFound)));
        assert_eq!(house.kept::<NegotiationRecord>().await, []);
        assert_eq!(house.kept::<crate::trace::Denial>().await, []);
        let addressed = house.addressed().await;
        house.plane.receive_request(&addressed, Some(CONSUMER), request).await.expect("taken");
        assert_eq!(house.kept::<NegotiationRecord>().await.len(), 1);
    }

    #[test]
    fn a_peer_is_not_told_what_keeps_us_from_verifying_it() {
        let error = ProtocolError::from(Unproven::Unavailable("the vault at 10.0.0.7 is sealed".to_owned()));
        assert_eq!(error.to_string(), "you cannot be verified at the moment; try again");
    }
}
