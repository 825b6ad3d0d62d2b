//! `…/credentials`: what a participant holds.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use heddle_ids::{CredentialId, ParticipantContextId};
use heddle_store::{Order, Query as Everything};
use heddle_web::{Management, Path, Query, Refused, reply};
use serde::Deserialize;

use super::{
    guard::{CREDENTIALS_READ, CREDENTIALS_WRITE, Caller, not_found},
    resource::CredentialResource,
};
use crate::{CredentialService, wallet::Credential};

/// `?type=`.
#[derive(Debug, Deserialize)]
pub(super) struct OfType {
    #[serde(rename = "type")]
    kind: Option<String>,
}

pub(super) async fn list(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
    Query(wanted, ..): Query<OfType, Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &CREDENTIALS_READ).await?;
    let mut transaction = service.store.begin(&scope);
    let context = service.context(&mut transaction, &scope).await?;
    let all = Everything { order: Order::CreatedAscending, ..Everything::default() };
    let credentials = transaction.list::<Credential>(&all).await?;
    let fits =
        |credential: &Credential| wanted.kind.as_ref().is_none_or(|kind| credential.types.contains(kind));
    let shown: Vec<_> = credentials
        .iter()
        .filter(|credential| fits(credential))
        .map(|credential| CredentialResource::new(&context, credential))
        .collect();
    Ok(reply(StatusCode::OK, &shown))
}

pub(super) async fn show(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path((named, id), ..): Path<(ParticipantContextId, CredentialId), Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &CREDENTIALS_READ).await?;
    let mut transaction = service.store.begin(&scope);
    let context = service.context(&mut transaction, &scope).await?;
    let credential = transaction.load::<Credential>(id.as_str()).await?;
    let credential = credential.ok_or_else(|| not_found("credential", id.as_str()))?;
    Ok(reply(StatusCode::OK, &CredentialResource::new(&context, &credential)))
}

pub(super) async fn remove(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path((named, id), ..): Path<(ParticipantContextId, CredentialId), Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &CREDENTIALS_WRITE).await?;
    let mut transaction = service.store.begin(&scope);
    let credential = transaction.load::<Credential>(id.as_str()).await?;
    let credential = credential.ok_or_else(|| not_found("credential", id.as_str()))?;
    transaction.delete(&credential);
    transaction.audit("credential.delete", id.as_str());
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
