//! `/dcpscopes`: which credentials are asked of peers, for the whole installation.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{post, put},
};
use heddle_dcp::Scope;
use heddle_web::{Management, Path, Rejection};
use serde::{Deserialize, Serialize};

use super::{
    answer::{Outcome, Shown, created, done, not_found, ok, same_id, taken},
    document::{Creation, Described, Document, OptionalDocument},
    guard::{DcpScopesAdmin, Installation},
    query::{QuerySpec, Queryable, select},
};
use crate::{
    ControlPlane,
    model::{DcpScope, ScopeUse},
};

const TYPE: &str = "DcpScope";
/// Longest id, in bytes.
const ID_BYTES_MAX: usize = 256;

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/dcpscopes", post(create))
        .route("/dcpscopes/request", post(query))
        .route("/dcpscopes/{id}", put(update).delete(remove))
}

/// A scope, in the members of the Management API.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeDocument {
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", default)]
    usage: ScopeUse,
    value: String,
    #[serde(default = "every")]
    profile: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix_mapping: Option<String>,
}

fn every() -> String {
    "*".to_owned()
}

impl Described for ScopeDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

impl ScopeDocument {
    fn into_scope(self, id: String) -> Result<DcpScope, Rejection> {
        if id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
            let message = format!("an id has 1 to {ID_BYTES_MAX} bytes and no control characters");
            return Err(Rejection::invalid("/@id", message));
        }
        Scope::parse(&self.value).map_err(|error| Rejection::invalid("/value", error.to_string()))?;
        if self.usage == ScopeUse::Policy && self.prefix_mapping.as_deref().is_none_or(str::is_empty) {
            let message = "a scope of type POLICY names the beginning of the left operands that need it";
            return Err(Rejection::invalid("/prefixMapping", message));
        }
        let Self { usage, value, profile, prefix_mapping, .. } = self;
        Ok(DcpScope { id, usage, value, profile, prefix: prefix_mapping })
    }
}

fn shown(scope: &DcpScope) -> Shown<ScopeDocument> {
    let body = ScopeDocument {
        id: Some(scope.id.clone()),
        usage: scope.usage,
        value: scope.value.clone(),
        profile: scope.profile.clone(),
        prefix_mapping: scope.prefix.clone(),
    };
    Shown::new(TYPE, body)
}

impl Queryable for DcpScope {
    const PATHS: &'static [&'static str] = &["id", "type", "value", "profile", "prefixMapping"];
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<DcpScopesAdmin>,
    Creation(document, idempotency): Creation<ScopeDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let key = leave.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    let id = document.id.clone().unwrap_or_else(|| plane.environment.uuid());
    let scope = document.into_scope(id)?;
    transaction.insert(&scope);
    transaction.publish(scope.published());
    let reply = created(&scope.id, transaction.now());
    let done = idempotency.conclude((&plane.store, &leave.scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, &scope.id))?)
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<DcpScopesAdmin>,
    Path(id, ..): Path<String, Management>,
    Document(document): Document<ScopeDocument>,
) -> Outcome {
    same_id(&id, document.id.as_deref())?;
    let mut transaction = plane.store.begin(&leave.scope);
    let loaded = transaction.load::<DcpScope>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    let next = document.into_scope(id)?;
    transaction.save(&loaded, &next);
    transaction.publish(next.published());
    transaction.commit().await?;
    Ok(done())
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<DcpScopesAdmin>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let found = select::<DcpScope>(&mut plane.store.begin(&leave.scope), &spec).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<DcpScopesAdmin>,
    Path(id, ..): Path<String, Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let loaded = transaction.load::<DcpScope>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    transaction.delete(&loaded);
    transaction.withdraw(DcpScope::DIRECTORY, id);
    transaction.commit().await?;
    Ok(done())
}
