//! `/tenants`.

use std::sync::Arc;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use futures::future::try_join_all;
use heddle_ids::TenantId;
use heddle_store::{DirectoryRow, LIST_ROWS_MAX, Loaded, StoreError};
use heddle_web::{Fabric, Idempotency, IdempotentJson, Json, Kind, Query, Rejection, Reply, reply};
use http::StatusCode;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{
    BASE, Outcome,
    guard::{Installation, OfTenant, Read, Sight, SightScope, Write},
    paging::Page,
    wire::null_is_absent,
};
use crate::{
    TenantManager,
    error::Refusal,
    events,
    model::{Properties, Tenant},
    profiles::Nothing,
};

/// Tenants of a page that are read at a time.
const READS_MAX: usize = 16;

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new()
        .route("/tenants", get(list).post(create))
        .route("/tenants/{tenant}", get(show).patch(change).delete(remove))
}

#[derive(Deserialize)]
struct NewTenant {
    #[serde(default, deserialize_with = "null_is_absent")]
    properties: Properties,
}

/// What changes: properties to set, and names of properties to remove after that.
#[derive(Deserialize)]
struct TenantPropertiesDiff {
    #[serde(default, deserialize_with = "null_is_absent")]
    properties: Properties,
    #[serde(default, deserialize_with = "null_is_absent")]
    removed: Vec<String>,
}

/// A tenant, as it is shown.
#[derive(Serialize)]
struct TenantBody<'a> {
    id: &'a TenantId,
    version: u64,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    properties: &'a Properties,
}

impl<'a> TenantBody<'a> {
    fn of(tenant: &'a Tenant, version: u64) -> Self {
        Self { id: &tenant.id, version, properties: &tenant.properties }
    }
}

/// Tenants in the order of their ids; `offset` and `limit` choose a page.
async fn list(
    State(manager): State<Arc<TenantManager>>,
    sight: Sight,
    Query(page, ..): Query<Page, Fabric>,
) -> Outcome {
    let ids = match &sight.scope {
        SightScope::Everything(_) => manager.tenants().await?,
        SightScope::Tenant(own) => {
            let id = own.tenant();
            let known = manager.store.lookup(Tenant::DIRECTORY, id.as_str()).await?;
            known.map(|_| id.clone()).into_iter().collect()
        }
    };
    let headers = page.headers(&format!("{BASE}/tenants"), ids.len());
    let ids: Vec<TenantId> = ids.into_iter().skip(page.offset).take(page.limit()).collect();
    let mut tenants = Vec::with_capacity(ids.len());
    for some in ids.chunks(READS_MAX) {
        let reads = some.iter().map(|id| read(&manager, &sight, id));
        // One may have been deleted since.
        tenants.extend(try_join_all(reads).await?.into_iter().flatten());
    }
    let bodies: Vec<_> =
        tenants.iter().map(|tenant| TenantBody::of(tenant.value(), tenant.version())).collect();
    Ok((headers, reply(StatusCode::OK, &bodies)).into_response())
}

async fn read(
    manager: &TenantManager,
    sight: &Sight,
    id: &TenantId,
) -> Result<Option<Loaded<Tenant>>, Rejection> {
    let scope = sight.tenant(manager, id)?;
    Ok(manager.store.begin(&scope).load::<Tenant>(id.as_str()).await?)
}

impl TenantManager {
    /// The ids of all tenants, in order.
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let (mut ids, mut last): (Vec<TenantId>, Option<String>) = (Vec::new(), None);
        loop {
            let rows = self.store.published(Tenant::DIRECTORY, last.as_deref(), LIST_ROWS_MAX).await?;
            let whole = rows.len() == LIST_ROWS_MAX as usize;
            last = rows.last().map(|row| row.key.clone());
            ids.extend(rows.into_iter().filter_map(|row| TenantId::parse(row.key).ok()));
            if !whole {
                return Ok(ids);
            }
        }
    }

    /// The id of a tenant to be. The answer to a request is kept with the tenant that it makes; so with an
    /// `Idempotency-Key` the id follows from it, and a repetition knows where to look.
    fn new_tenant_id(&self, idempotency: &Idempotency, principal: &str) -> TenantId {
        let (ms, random) = self.environment.id_parts();
        let Some(key) = idempotency.key() else { return TenantId::from_parts(ms, random) };
        let digest = digest(&SHA256, format!("tenant\n{principal}\n{key}").as_bytes());
        let (mut ms, mut random) = ([0_u8; 8], [0_u8; 10]);
        // 48 bits is what the time of an id has.
        ms[2..].copy_from_slice(&digest.as_ref()[..6]);
        random.copy_from_slice(&digest.as_ref()[6..16]);
        TenantId::from_parts(u64::from_be_bytes(ms), random)
    }
}

async fn create(
    State(manager): State<Arc<TenantManager>>,
    leave: Installation<Write>,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewTenant, Fabric>,
) -> Outcome {
    let key = leave.principal.key();
    let id = manager.new_tenant_id(&idempotency, &key);
    let tenant = Tenant { id, properties: new.properties, closing: false };
    let scope = leave.tenant(&manager, &tenant.id)?;
    let mut transaction = manager.store.begin(&scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    transaction.insert(&tenant);
    transaction.publish(DirectoryRow::new(Tenant::DIRECTORY, tenant.id.as_str(), &Nothing {}));
    transaction.emit(events::created(&tenant));
    let reply = Reply::json(StatusCode::CREATED, &TenantBody::of(&tenant, 1));
    let stored = idempotency.conclude((&manager.store, &scope), transaction, &key, reply).await;
    let response = stored.map_err(|error| match error {
        // The answer is forgotten, the tenant is not.
        StoreError::Duplicate { .. } => {
            let what = "Conflict: this Idempotency-Key made a tenant before; use a new key for a new one";
            Rejection::new(Kind::Conflict, what)
        }
        other => other.into(),
    })?;
    metrics::counter!("heddle_tenant_changes_total", "change" => "created").increment(1);
    tracing::info!(component = "tenant-manager", action = "tenant.created", tenant_id = %tenant.id, "a tenant was made");
    Ok(response)
}

async fn show(State(manager): State<Arc<TenantManager>>, leave: OfTenant<Read>) -> Outcome {
    let id = leave.scope.tenant().as_str();
    let tenant = manager.store.begin(&leave.scope).load::<Tenant>(id).await?.ok_or(Refusal::NotFound)?;
    Ok(reply(StatusCode::OK, &TenantBody::of(tenant.value(), tenant.version())))
}

async fn change(
    State(manager): State<Arc<TenantManager>>,
    leave: OfTenant<Write>,
    Json(difference, ..): Json<TenantPropertiesDiff, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&leave.scope);
    let loaded = transaction.load::<Tenant>(leave.scope.tenant().as_str()).await?;
    let loaded = loaded.ok_or(Refusal::NotFound)?;
    let mut tenant = loaded.value().clone();
    tenant.properties.extend(difference.properties);
    for name in &difference.removed {
        tenant.properties.remove(name);
    }
    transaction.save(&loaded, &tenant);
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}

/// Deletes a tenant whose participant profiles are all disposed of, with what is left of them.
async fn remove(State(manager): State<Arc<TenantManager>>, leave: OfTenant<Write>) -> Outcome {
    manager.delete_tenant(&leave.scope).await?;
    Ok(StatusCode::OK.into_response())
}
