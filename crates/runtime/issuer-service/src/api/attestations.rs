//! `…/attestations`: where the issuer's knowledge about holders comes from.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use heddle_ids::{AttestationId, ParticipantContextId};
use heddle_store::{LIST_ROWS_MAX, Query};
use heddle_web::{IdempotentJson, Json, Kind, Management, Path, Refused, Rejection, Reply, reply};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    guard::{Leave, ReadAttestations, WriteAttestations, not_found},
    query::{QuerySpec, select},
};
use crate::{
    IssuerService,
    attestation::{Attestation, AttestationRecord, AttestationType},
    definition::CredentialDefinition,
    endpoints::SEGMENT,
};

/// The body of a creation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttestationBody {
    id: AttestationId,
    attestation_type: AttestationType,
    #[serde(default)]
    configuration: Option<Map<String, Value>>,
}

/// An attestation as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AttestationResource<'a> {
    id: &'a AttestationId,
    participant_context_id: &'a ParticipantContextId,
    attestation_type: AttestationType,
    configuration: &'a Map<String, Value>,
    created_at: i64,
}

fn resource(context: &ParticipantContextId, attestation: &Attestation) -> Value {
    let shown = AttestationResource {
        id: &attestation.id,
        participant_context_id: context,
        attestation_type: attestation.kind,
        configuration: &attestation.configuration,
        created_at: attestation.created_at.as_millis(),
    };
    serde_json::to_value(shown).expect("an attestation serialises")
}

/// The id of a path that names other things too.
#[derive(Debug, Deserialize)]
pub(super) struct ById {
    id: AttestationId,
}

pub(super) async fn create(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteAttestations>,
    IdempotentJson(body, idempotency, ..): IdempotentJson<AttestationBody, Management>,
) -> Result<Response, Refused<Management>> {
    let (store, scope) = (&service.parts.store, &leave.scope);
    let mut transaction = store.begin(scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &leave.principal).await? {
        return Ok(earlier);
    }
    service.issuer(scope).await?;
    service.hold(&mut transaction, scope).await?;
    let attestation = Attestation {
        id: body.id,
        kind: body.attestation_type,
        configuration: body.configuration.unwrap_or_default(),
        created_at: transaction.now(),
    };
    let context = utf8_percent_encode(scope.participant().as_str(), SEGMENT);
    let id = utf8_percent_encode(attestation.id.as_str(), SEGMENT);
    let location = format!("/api/admin/v1beta/participants/{context}/attestations/{id}");
    transaction.insert(&attestation);
    transaction.audit("attestation.create", attestation.id.as_str());
    let reply = Reply::empty(StatusCode::CREATED).with_header(&LOCATION, location);
    Ok(idempotency.conclude((store, scope), transaction, &leave.principal, reply).await?)
}

/// With its records. One that definitions rely on stays (409).
pub(super) async fn remove(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteAttestations>,
    Path(ById { id }, ..): Path<ById, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let attestation = transaction.load::<Attestation>(id.as_str()).await?;
    let attestation = attestation.ok_or_else(|| not_found("attestation", id.as_str()))?;
    let definitions = transaction.list::<CredentialDefinition>(&Query::default()).await?;
    if let Some(user) = definitions.iter().find(|definition| definition.attestations.contains(&id)) {
        let message = format!("The credential definition '{}' relies on this attestation.", user.id);
        return Err(Rejection::new(Kind::Conflict, message).into());
    }
    let mut query = Query { reference: Some(id.to_string()), ..Query::default() };
    loop {
        let records = transaction.list::<AttestationRecord>(&query).await?;
        records.iter().for_each(|record| transaction.delete(record));
        if records.len() < LIST_ROWS_MAX as usize {
            break;
        }
        query.offset += LIST_ROWS_MAX;
    }
    transaction.delete(&attestation);
    transaction.audit("attestation.delete", id.as_str());
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn query(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadAttestations>,
    Json(spec, ..): Json<QuerySpec, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let context = leave.scope.participant();
    let found = select::<Attestation, _>(&mut transaction, &spec, |one| resource(context, one)).await?;
    Ok(reply(StatusCode::OK, &found))
}
