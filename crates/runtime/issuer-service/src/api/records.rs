//! `…/attestations/{id}/records/{holderId}`: what the governance body has verified about one holder.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use heddle_ids::{AttestationId, HolderId};
use heddle_web::{Json, Management, Path, Refused, Rejection, reply};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::guard::{Leave, ReadAttestations, WriteAttestations, not_found};
use crate::{
    IssuerService,
    attestation::{Attestation, AttestationRecord, AttestationType, record_key},
};

/// The body of a record.
#[derive(Debug, Deserialize)]
pub(super) struct RecordBody {
    claims: Map<String, Value>,
}

/// A record as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordResource<'a> {
    attestation_id: &'a AttestationId,
    holder_id: &'a HolderId,
    claims: &'a Map<String, Value>,
    created_at: i64,
    updated_at: i64,
}

/// The ids of a path that names other things too.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    id: AttestationId,
    holder: HolderId,
}

/// Writes, or writes anew. The holder need not be registered yet.
pub(super) async fn write(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteAttestations>,
    Path(place, ..): Path<Place, Management>,
    Json(body, ..): Json<RecordBody, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let attestation = transaction.load::<Attestation>(place.id.as_str()).await?;
    let attestation = attestation.ok_or_else(|| not_found("attestation", place.id.as_str()))?;
    if attestation.kind != AttestationType::Record {
        let message = "Only an attestation of the type 'record' has records.";
        return Err(Rejection::invalid("", message).into());
    }
    // It must not be deleted meanwhile, or the record would outlive it.
    transaction.check(&attestation);
    let key = record_key(&place.id, &place.holder);
    let earlier = transaction.load::<AttestationRecord>(&key).await?;
    let record = AttestationRecord::new(place.id, place.holder, body.claims, transaction.now());
    match earlier {
        Some(earlier) => {
            transaction.save(&earlier, &record.since(earlier.created_at));
        }
        None => transaction.insert(&record),
    }
    transaction.audit("attestation.record", key);
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn show(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadAttestations>,
    Path(place, ..): Path<Place, Management>,
) -> Result<Response, Refused<Management>> {
    let key = record_key(&place.id, &place.holder);
    let record = service.parts.store.begin(&leave.scope).load::<AttestationRecord>(&key).await?;
    let record = record.ok_or_else(|| not_found("record of the holder", place.holder.as_str()))?;
    let shown = RecordResource {
        attestation_id: &record.attestation,
        holder_id: &record.holder,
        claims: &record.claims,
        created_at: record.created_at.as_millis(),
        updated_at: record.modified_at.as_millis(),
    };
    Ok(reply(StatusCode::OK, &shown))
}

/// Nothing new is issued on it from here on; what was issued stays until it is revoked.
pub(super) async fn remove(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteAttestations>,
    Path(place, ..): Path<Place, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let key = record_key(&place.id, &place.holder);
    let record = transaction.load::<AttestationRecord>(&key).await?;
    let record = record.ok_or_else(|| not_found("record of the holder", place.holder.as_str()))?;
    transaction.delete(&record);
    transaction.audit("attestation.record.delete", key);
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
