//! `…/participants/{context}/contractagreements`: what was agreed.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_ids::{AgreementId, AssetId, ParticipantContextId, ParticipantId, SharedAgreementId};
use heddle_odrl::Policy;
use heddle_web::{Management, Path};
use serde::Serialize;
use serde_json::Value;

use super::{
    answer::{Outcome, Shown, not_found, ok},
    document::OptionalDocument,
    guard::{AgreementsRead, Own},
    negotiations, present,
    query::{QuerySpec, Queryable, select},
};
use crate::{ControlPlane, model::Agreement, negotiation::NegotiationRecord};

const TYPE: &str = "ContractAgreement";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/contractagreements/request", post(query))
        .route("/participants/{context}/contractagreements/{id}", get(show))
        .route("/participants/{context}/contractagreements/{id}/negotiation", get(negotiation))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgreementBody<'a> {
    #[serde(rename = "@id")]
    id: &'a AgreementId,
    agreement_id: &'a SharedAgreementId,
    asset_id: &'a AssetId,
    provider_id: &'a ParticipantId,
    consumer_id: &'a ParticipantId,
    /// In seconds.
    contract_signing_date: i64,
    policy: &'a Policy,
    #[serde(skip_serializing_if = "Value::is_null")]
    claims: &'a Value,
}

/// What a client sees.
pub(super) fn shown(agreement: &Agreement) -> Shown<AgreementBody<'_>> {
    let body = AgreementBody {
        id: &agreement.id,
        agreement_id: &agreement.shared_id,
        asset_id: &agreement.asset,
        provider_id: &agreement.provider,
        consumer_id: &agreement.consumer,
        contract_signing_date: agreement.signed_at.as_seconds(),
        policy: &agreement.policy,
        claims: &agreement.claims,
    };
    Shown::new(TYPE, body)
}

impl Queryable for Agreement {
    const PATHS: &'static [&'static str] =
        &["id", "agreementId", "assetId", "providerId", "consumerId", "contractSigningDate", "policy."];
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<AgreementsRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let found = select::<Agreement>(&mut transaction, &spec).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<AgreementsRead>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let agreement = plane.store.begin(&own.scope).load::<Agreement>(&id).await?;
    Ok(ok(&shown(agreement.ok_or_else(|| not_found(TYPE, &id))?.value())))
}

async fn negotiation(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<AgreementsRead>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let agreement = transaction.load::<Agreement>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    let negotiation = agreement.negotiation.as_str();
    let record = transaction.load::<NegotiationRecord>(negotiation).await?;
    let record = record.ok_or_else(|| not_found("ContractNegotiation", negotiation))?;
    Ok(ok(&negotiations::shown(&record)))
}
