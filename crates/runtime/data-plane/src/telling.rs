//! What the log tells of flows: a line for each signal, and one for each state that is stored.

use heddle_dps::flow::{CallbackKind, Flow, Kind, Side};
use heddle_store::Transaction;
use heddle_telemetry::logs::category;
use heddle_tenancy::{FlowPermit, ParticipantScope};

use crate::flow::FlowRecord;

/// A signal has changed a flow, once that is stored. What an application of the participant says is a signal too.
pub(crate) fn received(transaction: &mut Transaction<'_>, flow: &Flow, signal: Kind) {
    let flow = flow.clone();
    transaction.when_committed(move || message(&flow, "message.received", signal.as_str()));
}

/// A callback has arrived at the control plane.
pub(crate) fn sent(flow: &Flow, callback: CallbackKind) {
    message(flow, "message.sent", callback.as_str());
}

/// The participant is that of the request or job under way.
fn message(flow: &Flow, action: &str, signal: &str) {
    let terms = flow.terms();
    tracing::info!(
        category = category::MESSAGE,
        component = "data-plane",
        action,
        message_type = format!("data flow {signal}"),
        counter_party_id = %terms.counter_party,
        contract_id = %terms.agreement_id,
        data_flow_id = %terms.id,
        "a signal was passed"
    );
}

/// The request under way has proved whose data it may have: its line says so, although its path does not.
pub(crate) fn whose(permit: &FlowPermit) {
    tracing::Span::current().record("participant_context_id", permit.participant().as_str());
}

/// A flow has come into a state, once that is stored.
pub(crate) fn moved(transaction: &mut Transaction<'_>, scope: &ParticipantScope, record: &FlowRecord) {
    let (context, flow) = (scope.participant().clone(), record.flow.clone());
    transaction.when_committed(move || {
        let (terms, state) = (flow.terms(), flow.state());
        metrics::counter!("heddle_flow_moves_total", "state" => state.as_str(), "side" => side(&flow))
            .increment(1);
        tracing::info!(
            category = category::APPLICATION,
            component = "data-plane",
            action = format!("data.flow.{}", state.as_str().to_ascii_lowercase()),
            participant_context_id = %context,
            counter_party_id = %terms.counter_party,
            contract_id = %terms.agreement_id,
            data_flow_id = %terms.id,
            reason = flow.reason(),
            "a flow moved"
        );
    });
}

fn side(flow: &Flow) -> &'static str {
    match flow.side() {
        Side::Consumer => "consumer",
        Side::Provider => "provider",
    }
}
