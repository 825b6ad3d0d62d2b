//! `…/credentialdefinitions`: which credential follows from which attestations. What is offered to holders changes
//! in the same commit.

mod wire;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use heddle_ids::CredentialDefinitionId;
use heddle_store::Transaction;
use heddle_web::{IdempotentJson, Json, Kind, Management, Path, Refused, Rejection, Reply, reply};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use self::wire::{DefinitionBody, resource};
use super::{
    guard::{Leave, ReadDefinitions, WriteDefinitions, not_found},
    query::{QuerySpec, select},
};
use crate::{
    IssuerService,
    attestation::Attestation,
    definition::{self, CredentialDefinition},
    endpoints::SEGMENT,
    issuer::Issuer,
};

/// The id of a path that names other things too.
#[derive(Debug, Deserialize)]
pub(super) struct ById {
    id: CredentialDefinitionId,
}

/// Offers a definition, if its attestations exist, and as long as they do.
async fn offer(
    transaction: &mut Transaction<'_>,
    service: &IssuerService,
    issuer: &Issuer,
    definition: &CredentialDefinition,
) -> Result<(), Rejection> {
    for (index, id) in definition.attestations.iter().enumerate() {
        let attestation = transaction.load::<Attestation>(id.as_str()).await?;
        let attestation = attestation.ok_or_else(|| {
            Rejection::invalid(format!("/attestations/{index}"), format!("there is no attestation '{id}'"))
        })?;
        transaction.check(&attestation);
    }
    let offered = definition::offer(transaction, issuer, &service.parts.public_url, definition).await?;
    offered.map_err(|full| Rejection::new(Kind::Unprocessable, format!("{full}.")))
}

pub(super) async fn create(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteDefinitions>,
    IdempotentJson(body, idempotency, ..): IdempotentJson<DefinitionBody, Management>,
) -> Result<Response, Refused<Management>> {
    let (store, scope) = (&service.parts.store, &leave.scope);
    let mut transaction = store.begin(scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &leave.principal).await? {
        return Ok(earlier);
    }
    let issuer = service.issuer(scope).await?;
    service.hold(&mut transaction, scope).await?;
    let definition = body.checked(transaction.now())?;
    if transaction.load::<CredentialDefinition>(definition.id.as_str()).await?.is_some() {
        let message = format!("There is a credential definition '{}' already.", definition.id);
        return Err(Rejection::new(Kind::Conflict, message).into());
    }
    offer(&mut transaction, &service, &issuer, &definition).await?;
    let context = utf8_percent_encode(scope.participant().as_str(), SEGMENT);
    let id = utf8_percent_encode(definition.id.as_str(), SEGMENT);
    let location = format!("/api/admin/v1beta/participants/{context}/credentialdefinitions/{id}");
    transaction.insert(&definition);
    transaction.audit("credential-definition.create", definition.id.as_str());
    let reply = Reply::empty(StatusCode::CREATED).with_header(&LOCATION, location);
    Ok(idempotency.conclude((store, scope), transaction, &leave.principal, reply).await?)
}

pub(super) async fn update(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteDefinitions>,
    Json(body, ..): Json<DefinitionBody, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let issuer = service.issuer(&leave.scope).await?;
    service.hold(&mut transaction, &leave.scope).await?;
    let next = body.checked(transaction.now())?;
    let known = transaction.load::<CredentialDefinition>(next.id.as_str()).await?;
    let known = known.ok_or_else(|| not_found("credential definition", next.id.as_str()))?;
    let next = CredentialDefinition { created_at: known.created_at, ..next };
    offer(&mut transaction, &service, &issuer, &next).await?;
    transaction.save(&known, &next);
    transaction.audit("credential-definition.update", next.id.as_str());
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}

pub(super) async fn show(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadDefinitions>,
    Path(ById { id }, ..): Path<ById, Management>,
) -> Result<Response, Refused<Management>> {
    let known = service.parts.store.begin(&leave.scope).load::<CredentialDefinition>(id.as_str()).await?;
    let known = known.ok_or_else(|| not_found("credential definition", id.as_str()))?;
    Ok(reply(StatusCode::OK, &resource(leave.scope.participant(), &known)))
}

pub(super) async fn remove(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteDefinitions>,
    Path(ById { id }, ..): Path<ById, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let known = transaction.load::<CredentialDefinition>(id.as_str()).await?;
    let known = known.ok_or_else(|| not_found("credential definition", id.as_str()))?;
    let issuer = service.issuer(&leave.scope).await?;
    service.hold(&mut transaction, &leave.scope).await?;
    definition::withdraw(&mut transaction, &issuer, &known).await?;
    transaction.delete(&known);
    transaction.audit("credential-definition.delete", id.as_str());
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn query(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadDefinitions>,
    Json(spec, ..): Json<QuerySpec, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let context = leave.scope.participant();
    let found =
        select::<CredentialDefinition, _>(&mut transaction, &spec, |one| resource(context, one)).await?;
    Ok(reply(StatusCode::OK, &found))
}
