//! `…/holders`: the participants that the issuer knows.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use heddle_clock::Timestamp;
use heddle_did::Did;
use heddle_ids::{HolderId, ParticipantContextId};
use heddle_web::{IdempotentJson, Json, Management, Path, Refused, Rejection, Reply, reply};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    guard::{Leave, ReadHolders, WriteHolders, not_found},
    query::{QuerySpec, select},
};
use crate::{IssuerService, endpoints::SEGMENT, holder::Holder};

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// The body of a creation or an update.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HolderBody {
    holder_id: HolderId,
    did: Did,
    #[serde(default, alias = "holderName")]
    name: Option<String>,
    #[serde(default)]
    properties: Option<Map<String, Value>>,
}

impl HolderBody {
    fn checked(self, now: Timestamp) -> Result<Holder, Rejection> {
        if self.name.as_ref().is_some_and(|name| name.len() > NAME_BYTES_MAX) {
            return Err(Rejection::invalid("/name", format!("expected at most {NAME_BYTES_MAX} bytes")));
        }
        Ok(Holder {
            id: self.holder_id,
            did: self.did,
            name: self.name,
            properties: self.properties.unwrap_or_default(),
            created_at: now,
            modified_at: now,
        })
    }
}

/// A holder as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HolderResource<'a> {
    holder_id: &'a HolderId,
    participant_context_id: &'a ParticipantContextId,
    did: &'a str,
    name: Option<&'a str>,
    properties: &'a Map<String, Value>,
    created_at: i64,
    updated_at: i64,
}

fn resource(context: &ParticipantContextId, holder: &Holder) -> Value {
    let shown = HolderResource {
        holder_id: &holder.id,
        participant_context_id: context,
        did: holder.did.as_str(),
        name: holder.name.as_deref(),
        properties: &holder.properties,
        created_at: holder.created_at.as_millis(),
        updated_at: holder.modified_at.as_millis(),
    };
    serde_json::to_value(shown).expect("a holder serialises")
}

/// The id of a path that names other things too.
#[derive(Debug, Deserialize)]
pub(super) struct ById {
    id: HolderId,
}

pub(super) async fn create(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteHolders>,
    IdempotentJson(body, idempotency, ..): IdempotentJson<HolderBody, Management>,
) -> Result<Response, Refused<Management>> {
    let (store, scope) = (&service.parts.store, &leave.scope);
    let mut transaction = store.begin(scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &leave.principal).await? {
        return Ok(earlier);
    }
    service.issuer(scope).await?;
    service.hold(&mut transaction, scope).await?;
    let holder = body.checked(transaction.now())?;
    let context = utf8_percent_encode(scope.participant().as_str(), SEGMENT);
    let id = utf8_percent_encode(holder.id.as_str(), SEGMENT);
    let location = format!("/api/admin/v1beta/participants/{context}/holders/{id}");
    transaction.insert(&holder);
    transaction.audit("holder.register", holder.id.as_str());
    let reply = Reply::empty(StatusCode::CREATED).with_header(&LOCATION, location);
    Ok(idempotency.conclude((store, scope), transaction, &leave.principal, reply).await?)
}

pub(super) async fn update(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteHolders>,
    Json(body, ..): Json<HolderBody, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let next = body.checked(transaction.now())?;
    let holder = transaction.load::<Holder>(next.id.as_str()).await?;
    let holder = holder.ok_or_else(|| not_found("holder", next.id.as_str()))?;
    transaction.save(&holder, &Holder { created_at: holder.created_at, ..next });
    transaction.audit("holder.update", holder.id.as_str());
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}

pub(super) async fn show(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadHolders>,
    Path(ById { id }, ..): Path<ById, Management>,
) -> Result<Response, Refused<Management>> {
    let holder = service.parts.store.begin(&leave.scope).load::<Holder>(id.as_str()).await?;
    let holder = holder.ok_or_else(|| not_found("holder", id.as_str()))?;
    Ok(reply(StatusCode::OK, &resource(leave.scope.participant(), &holder)))
}

/// What was issued to it stays issued; its records stay written.
pub(super) async fn remove(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteHolders>,
    Path(ById { id }, ..): Path<ById, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let holder = transaction.load::<Holder>(id.as_str()).await?;
    let holder = holder.ok_or_else(|| not_found("holder", id.as_str()))?;
    transaction.delete(&holder);
    transaction.audit("holder.remove", id.as_str());
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn query(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadHolders>,
    Json(spec, ..): Json<QuerySpec, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let context = leave.scope.participant();
    let found = select::<Holder, _>(&mut transaction, &spec, |holder| resource(context, holder)).await?;
    Ok(reply(StatusCode::OK, &found))
}
