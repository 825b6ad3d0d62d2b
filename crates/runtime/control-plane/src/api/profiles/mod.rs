//! `/dataspaceprofiles`: the dataspaces that the installation knows.
//!
//! Beside the members of the Management API a profile has `identity` (`dcp` or, in development, `static`) and
//! `strict`.

mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_web::{Management, Path, Reply};
use http::StatusCode;

use super::{
    answer::{Outcome, done, not_found, ok, taken},
    document::{Creation, Document, OptionalDocument},
    guard::{Installation, ProfilesRead, ProfilesWrite},
    query::{QuerySpec, select},
};
use crate::{ControlPlane, model::DataspaceProfile};
use wire::ProfileDocument;
pub(super) use wire::shown;

const TYPE: &str = "DataspaceProfile";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/dataspaceprofiles", post(create).put(update))
        .route("/dataspaceprofiles/request", post(query))
        .route("/dataspaceprofiles/{name}", get(show).delete(remove))
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesWrite>,
    Creation(document, idempotency): Creation<ProfileDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let key = leave.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    let profile = document.into_profile(&plane, transaction.now())?;
    transaction.insert(&profile);
    transaction.publish(profile.published());
    let reply = Reply::json(StatusCode::OK, &shown(&profile));
    let done = idempotency.conclude((&plane.store, &leave.scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, profile.name.as_str()))?)
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesWrite>,
    Document(document): Document<ProfileDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let loaded = transaction.load::<DataspaceProfile>(document.name.as_str()).await?;
    let loaded = loaded.ok_or_else(|| not_found(TYPE, document.name.as_str()))?;
    let next = document.into_profile(&plane, loaded.created_at)?;
    transaction.save(&loaded, &next);
    transaction.publish(next.published());
    transaction.commit().await?;
    Ok(done())
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let found = select::<DataspaceProfile>(&mut plane.store.begin(&leave.scope), &spec).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesRead>,
    Path(name, ..): Path<String, Management>,
) -> Outcome {
    let profile = plane.store.begin(&leave.scope).load::<DataspaceProfile>(&name).await?;
    Ok(ok(&shown(profile.ok_or_else(|| not_found(TYPE, &name))?.value())))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesWrite>,
    Path(name, ..): Path<String, Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let loaded = transaction.load::<DataspaceProfile>(&name).await?.ok_or_else(|| not_found(TYPE, &name))?;
    transaction.delete(&loaded);
    transaction.withdraw(DataspaceProfile::DIRECTORY, name);
    transaction.commit().await?;
    Ok(done())
}
