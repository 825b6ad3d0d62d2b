//! Events of what a participant keeps: `asset.*`, `policy.definition.*`, `contract.definition.*`.

use heddle_store::{NewEvent, Transaction};
use heddle_tenancy::ParticipantScope;
use serde::Serialize;

/// What changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Changed<'a> {
    /// An asset.
    Asset(&'a str),
    /// A policy definition.
    Policy(&'a str),
    /// A contract definition.
    Definition(&'a str),
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    participant_context_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_definition_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_definition_id: Option<&'a str>,
}

/// Emits the event; `how` is `created`, `updated` or `deleted`.
pub(super) fn tell(
    transaction: &mut Transaction<'_>,
    scope: &ParticipantScope,
    what: Changed<'_>,
    how: &str,
) {
    let base = Payload { participant_context_id: scope.participant().as_str(), ..Payload::default() };
    let (kind, id, payload) = match what {
        Changed::Asset(id) => ("asset", id, Payload { asset_id: Some(id), ..base }),
        Changed::Policy(id) => ("policy.definition", id, Payload { policy_definition_id: Some(id), ..base }),
        Changed::Definition(id) => {
            ("contract.definition", id, Payload { contract_definition_id: Some(id), ..base })
        }
    };
    transaction.emit(NewEvent::new(format!("{kind}.{how}"), id, &payload));
}
