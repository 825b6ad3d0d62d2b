//! `/tenants`.

use std::sync::Arc;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use heddle_ids::TenantId;
use heddle_store::{DirectoryRow, LIST_ROWS_MAX, NewEvent};
use heddle_web::{Fabric, Idempotency, IdempotentJson, Json, Kind, Path, Query, Rejection, Reply, reply};
use http::{HeaderName, StatusCode};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{
    Outcome, fresh,
    guard::{Reader, Writer},
    missing, versioned,
};
use crate::{
    TenantManager,
    model::{DeploymentState, ParticipantProfile, Properties, Tenant},
};

static TOTAL: HeaderName = HeaderName::from_static("x-total-count");

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new()
        .route("/tenants", get(list).post(create))
        .route("/tenants/{tenant}", get(show).patch(change).delete(remove))
}

#[derive(Deserialize)]
struct NewTenant {
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize)]
struct Difference {
    #[serde(default)]
    properties: Option<Properties>,
    #[serde(default)]
    removed: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    offset: usize,
    #[serde(default)]
    limit: usize,
}

#[derive(Serialize)]
struct Nothing {}

/// All tenants, by id; `offset` and `limit` choose a page.
async fn list(
    State(manager): State<Arc<TenantManager>>,
    reader: Reader,
    Query(page, ..): Query<Page, Fabric>,
) -> Outcome {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids.last().cloned();
        let rows = manager.store.published(Tenant::DIRECTORY, after.as_deref(), LIST_ROWS_MAX).await?;
        let last = rows.len() < LIST_ROWS_MAX as usize;
        ids.extend(rows.into_iter().map(|row| row.key));
        if last {
            break;
        }
    }
    let (total, limit) = (ids.len(), if page.limit == 0 { usize::MAX } else { page.limit });
    let mut tenants = Vec::new();
    for id in ids.into_iter().skip(page.offset).take(limit) {
        let Ok(id) = TenantId::parse(id) else { continue };
        let Some(scope) = reader.tenant(&manager, &id) else { continue };
        // It may have been deleted since.
        tenants.extend(manager.store.begin(&scope).load::<Tenant>(id.as_str()).await?);
    }
    let mut response = reply(StatusCode::OK, &tenants.iter().map(versioned).collect::<Vec<_>>());
    response.headers_mut().insert(TOTAL.clone(), total.into());
    Ok(response)
}

/// The id of a tenant to be. With an `Idempotency-Key` it follows from the key, so that a repetition finds the tenant.
fn new_id(manager: &TenantManager, idempotency: &Idempotency, principal: &str) -> TenantId {
    let (ms, random) = manager.environment.id_parts();
    let Some(key) = idempotency.key() else { return TenantId::from_parts(ms, random) };
    let digest = digest(&SHA256, format!("tenant\n{principal}\n{key}").as_bytes());
    let mut parts = [0_u8; 18];
    parts.copy_from_slice(&digest.as_ref()[..18]);
    let ms = u64::from_be_bytes([0, 0, parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]]);
    let mut random = [0_u8; 10];
    random.copy_from_slice(&parts[8..]);
    TenantId::from_parts(ms, random)
}

async fn create(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewTenant, Fabric>,
) -> Outcome {
    let key = writer.principal.key();
    let tenant = Tenant { id: new_id(&manager, &idempotency, &key), properties: new.properties };
    let scope = writer.tenant(&manager, &tenant.id)?;
    let mut transaction = manager.store.begin(&scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    transaction.insert(&tenant);
    transaction.publish(DirectoryRow::new(Tenant::DIRECTORY, tenant.id.as_str(), &Nothing {}));
    transaction.emit(NewEvent::new("tenant.created", tenant.id.as_str(), &Nothing {}));
    let reply = Reply::json(StatusCode::CREATED, &fresh(&tenant));
    Ok(idempotency.conclude((&manager.store, &scope), transaction, &key, reply).await?)
}

async fn show(
    State(manager): State<Arc<TenantManager>>,
    reader: Reader,
    Path(id, ..): Path<TenantId, Fabric>,
) -> Outcome {
    let scope = reader.tenant(&manager, &id).ok_or_else(missing)?;
    let tenant = manager.store.begin(&scope).load::<Tenant>(id.as_str()).await?;
    Ok(reply(StatusCode::OK, &versioned(&tenant.ok_or_else(missing)?)))
}

async fn change(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    Path(id, ..): Path<TenantId, Fabric>,
    Json(difference, ..): Json<Difference, Fabric>,
) -> Outcome {
    let scope = writer.tenant(&manager, &id)?;
    let mut transaction = manager.store.begin(&scope);
    let loaded = transaction.load::<Tenant>(id.as_str()).await?.ok_or_else(missing)?;
    let mut tenant = loaded.value().clone();
    tenant.properties.extend(difference.properties.unwrap_or_default());
    for name in difference.removed.unwrap_or_default() {
        tenant.properties.remove(&name);
    }
    transaction.save(&loaded, &tenant);
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}

/// Deletes a tenant whose participant profiles are all disposed of, with what is left of them.
async fn remove(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    Path(id, ..): Path<TenantId, Fabric>,
) -> Outcome {
    let scope = writer.tenant(&manager, &id)?;
    let mut transaction = manager.store.begin(&scope);
    let tenant = transaction.load::<Tenant>(id.as_str()).await?.ok_or_else(missing)?;
    let profiles = transaction.list::<ParticipantProfile>(&heddle_store::Query::default()).await?;
    if profiles.iter().any(|profile| !profile.is(DeploymentState::Disposed)) {
        let what = "Bad request: cannot delete tenant with participants";
        return Err(Rejection::new(Kind::Invalid, what).into());
    }
    for profile in &profiles {
        transaction.delete(profile);
    }
    transaction.delete(&tenant);
    transaction.withdraw(Tenant::DIRECTORY, id.as_str());
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}
