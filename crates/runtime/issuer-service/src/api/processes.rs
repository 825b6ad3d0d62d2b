//! `…/issuanceprocesses`: requests of holders, what was decided and why, and how far they are.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, http::StatusCode, response::Response};
use heddle_ids::{
    CredentialDefinitionId, CredentialId, HolderId, HolderPid, IssuerPid, ParticipantContextId,
};
use heddle_web::{Json, Management, Path, Refused, reply};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    guard::{Leave, ReadProcesses, not_found},
    query::{QuerySpec, select},
};
use crate::{IssuerService, process::IssuanceProcess};

/// The id of a path that names other things too.
#[derive(Debug, Deserialize)]
pub(super) struct ById {
    id: IssuerPid,
}

/// An issuance process as it is shown. The token of its request is not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProcessResource<'a> {
    id: &'a IssuerPid,
    participant_context_id: &'a ParticipantContextId,
    holder_id: &'a HolderId,
    holder_pid: &'a HolderPid,
    state: &'static str,
    claims: &'a Map<String, Value>,
    credential_definitions: &'a [CredentialDefinitionId],
    credential_formats: BTreeMap<&'a str, &'static str>,
    credentials: &'a [CredentialId],
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<&'a str>,
    created_at: i64,
    updated_at: i64,
}

fn resource(context: &ParticipantContextId, process: &IssuanceProcess) -> Value {
    let format = |approved: &crate::process::Approved| approved.format.enumeration_name();
    let formats = process.approved.iter().map(|approved| (approved.definition.as_str(), format(approved)));
    let shown = ProcessResource {
        id: &process.id,
        participant_context_id: context,
        holder_id: &process.holder_id,
        holder_pid: &process.holder_pid,
        state: process.state.name(),
        claims: &process.claims,
        credential_definitions: &process.definitions,
        credential_formats: formats.collect(),
        credentials: &process.credentials,
        error_detail: process.reason.as_deref(),
        created_at: process.created_at.as_millis(),
        updated_at: process.modified_at.as_millis(),
    };
    serde_json::to_value(shown).expect("a process serialises")
}

pub(super) async fn show(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadProcesses>,
    Path(ById { id }, ..): Path<ById, Management>,
) -> Result<Response, Refused<Management>> {
    let process = service.parts.store.begin(&leave.scope).load::<IssuanceProcess>(id.as_str()).await?;
    let process = process.ok_or_else(|| not_found("issuance process", id.as_str()))?;
    Ok(reply(StatusCode::OK, &resource(leave.scope.participant(), &process)))
}

pub(super) async fn query(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadProcesses>,
    Json(spec, ..): Json<QuerySpec, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let context = leave.scope.participant();
    let found = select::<IssuanceProcess, _>(&mut transaction, &spec, |one| resource(context, one)).await?;
    Ok(reply(StatusCode::OK, &found))
}
