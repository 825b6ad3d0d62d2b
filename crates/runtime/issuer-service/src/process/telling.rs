//! What the log tells of issuance: a line for each state of a process, once it is stored.

use heddle_did::Did;
use heddle_ids::ParticipantContextId;
use heddle_store::Transaction;
use heddle_telemetry::logs::category;

/// A process for `holder` has come into a state.
pub(super) fn moved(
    transaction: &mut Transaction<'_>,
    context: &ParticipantContextId,
    holder: &Did,
    (event, reason): (String, Option<String>),
) {
    let (context, holder) = (context.clone(), holder.clone());
    transaction.when_committed(move || {
        tracing::info!(
            category = category::CLAIMS,
            component = "issuer-service",
            action = event,
            participant_context_id = %context,
            counter_party_id = %holder,
            reason,
            "an issuance moved"
        );
    });
}
