//! Requests that are refused: the peer learns that there is nothing, the provider why.

use std::time::Duration;

use heddle_store::{StoreError, Transaction};
use heddle_tenancy::{Actor, VerifiedPeer};

use super::{
    decision::Decision,
    inbound::{InboundRequest, ProtocolError},
};
use crate::{
    ControlPlane,
    identity::Unproven,
    parts::Addressed,
    trace::{DecisionTrace, Denial, Traced},
};

/// How long the trace of a refused request is kept.
const DENIAL_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

impl ControlPlane {
    /// Keeps the trace of a request that was refused on its merits.
    pub(super) fn deny(
        &self,
        transaction: &mut Transaction<'_>,
        request: &InboundRequest,
        (peer, checks): (&VerifiedPeer, &[heddle_credentials::Check]),
        decision: &Decision,
        reason: String,
    ) {
        let now = transaction.now();
        let mut trace = DecisionTrace::default();
        trace.add_checks(now, checks);
        for (name, evaluation) in &decision.evaluations {
            trace.add_evaluation(now, name, evaluation);
        }
        trace.add(now, Traced::Refused { reason: reason.clone() });
        let denial = self.denial(peer.id().as_str(), request, reason, trace, now);
        transaction.insert(&denial);
    }

    fn denial(
        &self,
        counter_party: &str,
        request: &InboundRequest,
        reason: String,
        trace: DecisionTrace,
        at: heddle_clock::Timestamp,
    ) -> Denial {
        tracing::info!(
            category = heddle_telemetry::logs::category::AUDIT,
            component = "control-plane",
            action = "negotiation.deny",
            counter_party_id = counter_party,
            reason,
            "a negotiation was refused"
        );
        Denial {
            id: self.environment.uuid(),
            counter_party: counter_party.to_owned(),
            request: "negotiation".to_owned(),
            subject: crate::trace::subject(request.message.offer.target.as_deref()),
            reason,
            trace,
            at,
            expires_at: at + DENIAL_LIFETIME,
        }
    }

    /// A peer whose token holds but whose credentials do not suffice leaves a trace; a stranger leaves none,
    /// or anybody could fill the database.
    pub(super) async fn unproven_request(
        &self,
        addressed: &Addressed,
        request: &InboundRequest,
        unproven: Unproven,
    ) -> Result<ProtocolError, StoreError> {
        if let Unproven::Refused { known: Some(peer), reason, checks } = &unproven {
            let own = self
                .scopes
                .participant(addressed.recipient.context().clone(), Actor::new("identity service"));
            let mut transaction = self.store.begin(&own);
            let now = transaction.now();
            let mut trace = DecisionTrace::default();
            trace.add_checks(now, checks);
            trace.add(now, Traced::Refused { reason: reason.clone() });
            let denial = self.denial(peer.as_str(), request, reason.clone(), trace, now);
            transaction.insert(&denial);
            transaction.commit().await?;
        }
        Ok(unproven.into())
    }
}
