//! `…/dids` and `…/keypairs`: what a participant publishes, and with which keys.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use heddle_did::{Did, DidDocument};
use heddle_ids::{KeyPairId, ParticipantContextId};
use heddle_store::{Loaded, Query as Everything};
use heddle_web::{Json, Management, Path, Refused, Rejection, Unread, reply};
use serde::Deserialize;
use serde_json::Value;

use super::{
    guard::{Caller, DIDS_READ, KEY_PAIRS_READ, not_found},
    resource::{KeyPairResource, did_state},
};
use crate::{
    CredentialService,
    participant::{KeyPair, document_of},
};

/// `{"did"}`.
#[derive(Debug, Deserialize)]
pub(super) struct DidBody {
    did: Did,
}

/// A QuerySpec, as far as it means anything here: a participant context has one DID.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DidQuery {
    #[serde(default)]
    offset: u32,
    #[serde(default)]
    limit: Option<u32>,
    #[serde(default)]
    filter_expression: Vec<Criterion>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Criterion {
    operand_left: String,
    operator: String,
    operand_right: Value,
}

pub(super) async fn state(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
    body: Unread<Json<DidBody, Management>>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &DIDS_READ).await?;
    let Json(body, ..) = body.read().await?;
    let context = service.context(&mut service.store.begin(&scope), &scope).await?;
    if context.did != body.did {
        return Err(not_found("DID", body.did.as_str()).into());
    }
    Ok(did_state(context.state).into_response())
}

pub(super) async fn query(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
    query: Unread<Json<DidQuery, Management>>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &DIDS_READ).await?;
    let Json(query, ..) = query.read().await?;
    let mut transaction = service.store.begin(&scope);
    let context = service.context(&mut transaction, &scope).await?;
    let keys = transaction.list::<KeyPair>(&Everything::default()).await?;
    let document = document_of(&context, &keys.iter().map(Loaded::value).collect::<Vec<_>>());
    let shown = query.offset == 0 && query.limit != Some(0) && query.fits(&document)?;
    Ok(reply(StatusCode::OK, &shown.then_some(document).into_iter().collect::<Vec<_>>()))
}

impl DidQuery {
    fn fits(&self, document: &DidDocument) -> Result<bool, Rejection> {
        for (index, criterion) in self.filter_expression.iter().enumerate() {
            if !matches!(criterion.operand_left.as_str(), "id" | "did") || criterion.operator != "=" {
                let pointer = format!("/filterExpression/{index}");
                return Err(Rejection::invalid(
                    pointer,
                    "DIDs are queried by 'id' or 'did' with the operator '='",
                ));
            }
            if criterion.operand_right.as_str() != Some(document.id.as_str()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

pub(super) async fn key_pairs(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &KEY_PAIRS_READ).await?;
    let mut transaction = service.store.begin(&scope);
    let context = service.context(&mut transaction, &scope).await?;
    let keys = transaction.list::<KeyPair>(&Everything::default()).await?;
    let shown: Vec<_> = keys.iter().map(|key| KeyPairResource::new(&context.id, key)).collect();
    Ok(reply(StatusCode::OK, &shown))
}

pub(super) async fn key_pair(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path((named, id), ..): Path<(ParticipantContextId, KeyPairId), Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &KEY_PAIRS_READ).await?;
    let key = service.store.begin(&scope).load::<KeyPair>(id.as_str()).await?;
    let key = key.ok_or_else(|| not_found("key pair", id.as_str()))?;
    Ok(reply(StatusCode::OK, &KeyPairResource::new(scope.participant(), &key)))
}
