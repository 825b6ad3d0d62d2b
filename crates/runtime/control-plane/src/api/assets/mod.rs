//! `…/participants/{context}/assets`: what a participant offers.

mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_ids::{AssetId, ParticipantContextId};
use heddle_store::{Query, Transaction};
use heddle_web::{Management, Path, Rejection};

use super::{
    answer::{Outcome, conflict, created, done, not_found, ok, taken},
    changes::{Changed, tell},
    document::{Creation, Document, OptionalDocument},
    guard::{AssetsRead, AssetsWrite, Own},
    present,
    query::{QuerySpec, select},
};
use crate::{
    ControlPlane,
    model::{Agreement, Asset},
    negotiation::NegotiationRecord,
};
use wire::{AssetDocument, shown};

const TYPE: &str = "Asset";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/assets", post(create).put(update))
        .route("/participants/{context}/assets/request", post(query))
        .route("/participants/{context}/assets/{id}", get(show).delete(remove))
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<AssetsWrite>,
    Creation(document, idempotency): Creation<AssetDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let key = own.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    present::lasting(&mut transaction, &own.scope).await?;
    let id = document.id.clone().unwrap_or_else(|| {
        let (ms, random) = plane.environment.id_parts();
        AssetId::from_parts(ms, random)
    });
    let now = transaction.now();
    let asset = document.into_asset(id, now)?;
    transaction.insert(&asset);
    tell(&mut transaction, &own.scope, Changed::Asset(asset.id.as_str()), "created");
    let reply = created(asset.id.as_str(), now);
    let done = idempotency.conclude((&plane.store, &own.scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, asset.id.as_str()))?)
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<AssetsWrite>,
    Document(document): Document<AssetDocument>,
) -> Outcome {
    let id = document
        .id
        .clone()
        .ok_or_else(|| Rejection::invalid("/@id", "an update names its asset by '@id'"))?;
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<Asset>(id.as_str()).await?.ok_or_else(|| not_found(TYPE, id.as_str()))?;
    let asset = document.into_asset(id, loaded.created_at)?;
    transaction.save(&loaded, &asset);
    tell(&mut transaction, &own.scope, Changed::Asset(asset.id.as_str()), "updated");
    transaction.commit().await?;
    Ok(done())
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<AssetsRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let assets = select::<Asset>(&mut transaction, &spec).await?;
    Ok(ok(&assets.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<AssetsRead>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let asset = plane.store.begin(&own.scope).load::<Asset>(&id).await?;
    let asset = asset.ok_or_else(|| not_found(TYPE, &id))?;
    Ok(ok(&shown(&asset)))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<AssetsWrite>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<Asset>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    if is_referenced(&mut transaction, &id).await? {
        let why = format!(
            "Asset {id} cannot be deleted as it is referenced by at least one contract agreement or an \
             ongoing negotiation"
        );
        return Err(conflict(why).into());
    }
    transaction.delete(&loaded);
    tell(&mut transaction, &own.scope, Changed::Asset(&id), "deleted");
    transaction.commit().await?;
    Ok(done())
}

async fn is_referenced(transaction: &mut Transaction<'_>, id: &str) -> Result<bool, Rejection> {
    let about = |states: &[&'static str]| Query {
        reference: Some(id.to_owned()),
        states: states.iter().map(|&state| state.into()).collect(),
        ..Query::default()
    };
    let agreements = transaction.count::<Agreement>(&about(&[])).await?;
    let ongoing = transaction.count::<NegotiationRecord>(&about(&NegotiationRecord::ONGOING)).await?;
    Ok(agreements + ongoing > 0)
}
