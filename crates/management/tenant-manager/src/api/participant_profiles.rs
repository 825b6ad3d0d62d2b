//! `/tenants/{tenant}/participant-profiles`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use heddle_ids::{ParticipantProfileId, TenantId};
use heddle_store::{Loaded, NewJob, Query};
use heddle_web::{Fabric, IdempotentJson, Kind, Path, Rejection, Reply, reply};
use http::StatusCode;
use serde::Serialize;

use super::{
    Outcome,
    guard::{Reader, Writer},
    missing,
};
use crate::{
    TenantManager,
    deployment::{self, CannotDeploy, DEPLOY, DISPOSE, NewParticipantProfile, Placement},
    jobs::{MANIFEST, event},
    model::{Cell, DataspaceProfile, DeploymentState, ParticipantProfile, Properties, Tenant, Vpa},
};

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new()
        .route("/tenants/{tenant}/participant-profiles", get(list).post(create))
        .route("/tenants/{tenant}/participant-profiles/{id}", get(show).delete(dispose))
}

/// A profile, as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileBody<'a> {
    id: &'a ParticipantProfileId,
    version: u64,
    identifier: &'a str,
    tenant_id: &'a TenantId,
    participant_roles: &'a BTreeMap<String, Vec<String>>,
    vpas: &'a [Vpa],
    properties: &'a Properties,
    error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<&'a str>,
}

fn body(profile: &ParticipantProfile, version: u64) -> ProfileBody<'_> {
    ProfileBody {
        id: &profile.id,
        version,
        identifier: &profile.identifier,
        tenant_id: &profile.tenant_id,
        participant_roles: &profile.participant_roles,
        vpas: &profile.vpas,
        properties: &profile.properties,
        error: profile.error,
        error_detail: profile.error_detail.as_deref(),
    }
}

fn shown(loaded: &Loaded<ParticipantProfile>) -> ProfileBody<'_> {
    body(loaded.value(), loaded.version())
}

async fn list(
    State(manager): State<Arc<TenantManager>>,
    reader: Reader,
    Path(tenant, ..): Path<TenantId, Fabric>,
) -> Outcome {
    let scope = reader.tenant(&manager, &tenant).ok_or_else(missing)?;
    let profiles = manager.store.begin(&scope).list::<ParticipantProfile>(&Query::default()).await?;
    Ok(reply(StatusCode::OK, &profiles.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(manager): State<Arc<TenantManager>>,
    reader: Reader,
    Path((tenant, id), ..): Path<(TenantId, String), Fabric>,
) -> Outcome {
    let scope = reader.tenant(&manager, &tenant).ok_or_else(missing)?;
    let profile = manager.store.begin(&scope).load::<ParticipantProfile>(&id).await?;
    Ok(reply(StatusCode::OK, &shown(&profile.ok_or_else(missing)?)))
}

impl TenantManager {
    /// Where an ordered profile goes.
    async fn place(
        &self,
        writer: &Writer,
        tenant: TenantId,
        order: &NewParticipantProfile,
    ) -> Result<Placement, Rejection> {
        let mut transaction = self.store.begin(&writer.scope);
        let profiles = transaction.list::<DataspaceProfile>(&Query::default()).await?;
        let cells = transaction.list::<Cell>(&Query::default()).await?;
        let cells: Vec<Cell> = cells.into_iter().map(Loaded::into_value).collect();
        let refused = |error: CannotDeploy| {
            let at = match error {
                CannotDeploy::NoProfile | CannotDeploy::UnknownProfile(_) => "/dataspaceProfileIds",
                CannotDeploy::NoCell | CannotDeploy::ThisCell(_) => "/cellId",
            };
            Rejection::invalid(at, format!("Bad request: {error}"))
        };
        let all = profiles.into_iter().map(Loaded::into_value).collect();
        let profiles = deployment::chosen(order, all).map_err(refused)?;
        let cell = deployment::cell_for(order.cell_id.as_deref(), &cells, &profiles).map_err(refused)?;
        let (ms, random) = self.environment.id_parts();
        Ok(Placement {
            id: ParticipantProfileId::from_parts(ms, random),
            tenant,
            cell,
            profiles,
            orchestration: self.environment.uuid(),
            vpa_ids: std::array::from_fn(|_| self.environment.uuid()),
        })
    }
}

async fn create(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    Path(tenant, ..): Path<TenantId, Fabric>,
    IdempotentJson(order, idempotency, ..): IdempotentJson<NewParticipantProfile, Fabric>,
) -> Outcome {
    let scope = writer.tenant(&manager, &tenant)?;
    let mut transaction = manager.store.begin(&scope);
    let key = writer.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    if transaction.load::<Tenant>(tenant.as_str()).await?.is_none() {
        return Err(missing().into());
    }
    if !order.identifier.starts_with("did:") {
        return Err(Rejection::invalid("/identifier", "Bad request: expected a DID").into());
    }
    let placement = manager.place(&writer, tenant, &order).await?;
    let profile = deployment::profile(order, placement, transaction.now());
    transaction.insert(&profile);
    transaction.emit(event(&profile, "pending"));
    let order_key = format!("orchestration/{}", profile.orchestration);
    transaction.enqueue(NewJob::new(MANIFEST, order_key, &deployment::manifest(&profile, DEPLOY)));
    let reply = Reply::json(StatusCode::ACCEPTED, &body(&profile, 1));
    Ok(idempotency.conclude((&manager.store, &scope), transaction, &key, reply).await?)
}

/// Orders that all of it ends. What provisioning has not finished cannot be disposed of: 409. Disposed twice is once.
async fn dispose(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    Path((tenant, id), ..): Path<(TenantId, String), Fabric>,
) -> Outcome {
    let scope = writer.tenant(&manager, &tenant)?;
    let mut transaction = manager.store.begin(&scope);
    let loaded = transaction.load::<ParticipantProfile>(&id).await?.ok_or_else(missing)?;
    let mut profile = loaded.value().clone();
    if profile.is(DeploymentState::Disposing) || profile.is(DeploymentState::Disposed) {
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    if !profile.is(DeploymentState::Active) {
        let what = "Conflict: only an active participant profile can be disposed of";
        return Err(Rejection::new(Kind::Conflict, what).into());
    }
    profile.enter(DeploymentState::Disposing, transaction.now());
    profile.orchestration = manager.environment.uuid();
    transaction.save(&loaded, &profile);
    let order_key = format!("orchestration/{}", profile.orchestration);
    transaction.enqueue(NewJob::new(MANIFEST, order_key, &deployment::manifest(&profile, DISPOSE)));
    transaction.commit().await?;
    Ok(StatusCode::ACCEPTED.into_response())
}
