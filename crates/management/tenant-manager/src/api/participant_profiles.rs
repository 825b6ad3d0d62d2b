//! `/tenants/{tenant}/participant-profiles`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use heddle_did::Did;
use heddle_ids::{CellId, ParticipantProfileId, TenantId, VpaId};
use heddle_store::StoreError;
use heddle_web::{Fabric, IdempotentJson, Path, Rejection, Reply, reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    Outcome,
    guard::{OfTenant, Read, Write},
    wire::{given, null_is_absent},
};
use crate::{
    TenantManager,
    deployment::Order,
    error::Refusal,
    model::{DeploymentState, ParticipantProfile, Properties, VPA_TYPES, Vpa},
    profiles::{note, oldest_first},
};

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new()
        .route("/tenants/{tenant}/participant-profiles", get(list).post(create))
        .route("/tenants/{tenant}/participant-profiles/{id}", get(show).delete(dispose))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewParticipantProfileDeployment {
    identifier: String,
    #[serde(default)]
    cell_id: Option<String>,
    #[serde(default, deserialize_with = "null_is_absent")]
    dataspace_profile_ids: Vec<String>,
    #[serde(default, deserialize_with = "null_is_absent")]
    participant_roles: BTreeMap<String, Vec<String>>,
    #[serde(default, deserialize_with = "null_is_absent")]
    vpa_properties: BTreeMap<String, Properties>,
    #[serde(default, deserialize_with = "null_is_absent")]
    properties: Properties,
}

/// A profile, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileBody<'a> {
    id: &'a ParticipantProfileId,
    version: u64,
    identifier: &'a Did,
    tenant_id: &'a TenantId,
    participant_roles: &'a BTreeMap<String, Vec<String>>,
    vpas: Vec<VpaBody<'a>>,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    properties: &'a Properties,
    error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VpaBody<'a> {
    id: &'a VpaId,
    version: u64,
    state: DeploymentState,
    state_timestamp: String,
    r#type: &'a str,
    cell_id: &'a CellId,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    properties: &'a Properties,
}

impl<'a> From<&'a Vpa> for VpaBody<'a> {
    fn from(vpa: &'a Vpa) -> Self {
        Self {
            id: &vpa.id,
            version: vpa.version,
            state: vpa.state,
            state_timestamp: vpa.state_since.to_string(),
            r#type: &vpa.vpa_type,
            cell_id: &vpa.cell_id,
            properties: &vpa.properties,
        }
    }
}

impl<'a> ProfileBody<'a> {
    fn of(profile: &'a ParticipantProfile, version: u64) -> Self {
        Self {
            id: &profile.id,
            version,
            identifier: &profile.identifier,
            tenant_id: &profile.tenant_id,
            participant_roles: &profile.participant_roles,
            vpas: profile.vpas.iter().map(VpaBody::from).collect(),
            properties: &profile.properties,
            error: profile.error,
            error_detail: profile.error_detail.as_deref(),
        }
    }
}

impl TryFrom<NewParticipantProfileDeployment> for Order {
    type Error = Rejection;

    fn try_from(new: NewParticipantProfileDeployment) -> Result<Self, Rejection> {
        let identifier = Did::parse(&new.identifier).map_err(|error| {
            let what = format!("Bad request: '{}' is not a DID: {error}", new.identifier);
            Rejection::invalid("/identifier", what)
        })?;
        let known = |name: &&String| VPA_TYPES.contains(&name.as_str());
        if let Some(unknown) = new.vpa_properties.keys().find(|name| !known(name)) {
            let what = format!("Bad request: '{unknown}' is none of {}", VPA_TYPES.join(", "));
            return Err(Rejection::invalid("/vpaProperties", what));
        }
        Ok(Self {
            identifier,
            cell: given(new.cell_id),
            dataspaces: new.dataspace_profile_ids,
            roles: new.participant_roles,
            vpa_properties: new.vpa_properties,
            properties: new.properties,
        })
    }
}

async fn list(State(manager): State<Arc<TenantManager>>, leave: OfTenant<Read>) -> Outcome {
    let all = manager.store.begin(&leave.scope).list::<ParticipantProfile>(&oldest_first()).await?;
    let all: Vec<_> = all.iter().map(|one| ProfileBody::of(one.value(), one.version())).collect();
    Ok(reply(StatusCode::OK, &all))
}

async fn show(
    State(manager): State<Arc<TenantManager>>,
    leave: OfTenant<Read>,
    Path((_, id), ..): Path<(TenantId, String), Fabric>,
) -> Outcome {
    let loaded = manager.store.begin(&leave.scope).load::<ParticipantProfile>(&id).await?;
    let loaded = loaded.ok_or(Refusal::NotFound)?;
    Ok(reply(StatusCode::OK, &ProfileBody::of(loaded.value(), loaded.version())))
}

/// Orders a profile; it becomes active, or fails, later (202).
async fn create(
    State(manager): State<Arc<TenantManager>>,
    leave: OfTenant<Write>,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewParticipantProfileDeployment, Fabric>,
) -> Outcome {
    let order = Order::try_from(new)?;
    let place = manager.place(&order).await;
    let mut transaction = manager.store.begin(&leave.scope);
    let key = leave.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    let profile = manager.order_profile(&leave.scope, &mut transaction, (order, place)).await?;
    let reply = Reply::json(StatusCode::ACCEPTED, &ProfileBody::of(&profile, 1));
    let stored = idempotency.conclude((&manager.store, &leave.scope), transaction, &key, reply).await;
    let response = stored.map_err(|error| match error {
        // Somebody else took the identifier between the look and the commit.
        StoreError::Duplicate { .. } => Refusal::IdentifierTaken(profile.identifier.clone()),
        other => other.into(),
    })?;
    note(&profile);
    Ok(response)
}

/// Orders that all of an active profile ends (202). What is not active cannot be disposed of (409).
async fn dispose(
    State(manager): State<Arc<TenantManager>>,
    leave: OfTenant<Write>,
    Path((_, id), ..): Path<(TenantId, String), Fabric>,
) -> Outcome {
    manager.dispose_of_profile(&leave.scope, &id).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}
