//! Participant contexts as documents (Management API, schema `participant-context`).

use heddle_clock::Timestamp;
use heddle_ids::{ParticipantContextId, ParticipantId, ProfileName, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TYPE;
use crate::{
    api::{answer::Shown, document::Described},
    model::{ParticipantContext, ParticipantState},
};

/// A participant context as a client writes it.
#[derive(Debug, Deserialize)]
pub(super) struct ParticipantDocument {
    #[serde(rename = "@id", default)]
    pub(super) id: Option<ParticipantContextId>,
    pub(super) identity: ParticipantId,
    #[serde(default)]
    pub(super) state: Option<ParticipantState>,
    /// Ours: the label of the tenant.
    #[serde(default)]
    pub(super) tenant: Option<TenantId>,
    #[serde(default)]
    pub(super) properties: Option<Map<String, Value>>,
}

impl Described for ParticipantDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParticipantBody<'a> {
    #[serde(rename = "@id")]
    id: &'a ParticipantContextId,
    identity: &'a ParticipantId,
    state: ParticipantState,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a TenantId>,
    properties: &'a Map<String, Value>,
    profiles: &'a [ProfileName],
    created_at: Timestamp,
}

/// What a client sees.
pub(super) fn shown(context: &ParticipantContext) -> Shown<ParticipantBody<'_>> {
    let body = ParticipantBody {
        id: &context.id,
        identity: &context.identity,
        state: context.state,
        tenant: context.tenant.as_ref(),
        properties: &context.properties,
        profiles: &context.profiles,
        created_at: context.created_at,
    };
    Shown::new(TYPE, body)
}
