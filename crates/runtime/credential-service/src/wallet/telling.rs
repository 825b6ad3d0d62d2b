//! What the log tells of a wallet: a line for each thing that has changed, once it is stored.

use std::fmt::Display;

use heddle_ids::ParticipantContextId;
use heddle_store::Transaction;
use heddle_telemetry::logs::category;

/// Something has happened between the participant and `issuer`.
pub(super) fn told(
    transaction: &mut Transaction<'_>,
    context: &ParticipantContextId,
    issuer: &dyn Display,
    (event, reason): (&'static str, Option<String>),
) {
    let (context, issuer) = (context.clone(), issuer.to_string());
    transaction.when_committed(move || {
        tracing::info!(
            category = category::CLAIMS,
            component = "credential-service",
            action = event,
            participant_context_id = %context,
            counter_party_id = issuer,
            reason,
            "the wallet has changed"
        );
    });
}
