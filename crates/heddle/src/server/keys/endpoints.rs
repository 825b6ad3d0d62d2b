//! The endpoints.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use heddle_auth::{Area, KeyState, OldKey, Principal, RequiredScope, ShownKey, TokenServiceError};
use heddle_tenancy::OperatorScope;
use heddle_web::{IdempotentJson, Kind, Path, Plain, Refused, Rejection, Reply, Surface, Unread, reply};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::server::{foundation::Foundation, unauthenticated::refusal};

/// The keys are of the installation.
const KEYS_ADMIN: RequiredScope = RequiredScope::admin("identity-api").within(Area::Installation);
/// Largest request, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;

#[derive(Serialize)]
struct Keys {
    /// Newest last.
    keys: Vec<Key>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    kid: String,
    state: KeyState,
    /// RFC 3339, as all times here.
    created_at: String,
    signs_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

/// A rotation says nothing; what it may say one day is ignored until then.
#[derive(Deserialize)]
struct NewKey {}

impl From<Vec<ShownKey>> for Keys {
    fn from(keys: Vec<ShownKey>) -> Self {
        let key = |key: ShownKey| Key {
            kid: key.kid,
            state: key.state,
            created_at: key.created_at.to_string(),
            signs_from: key.signs_from.to_string(),
            ends_at: key.ends_at.map(|at| at.to_string()),
        };
        Self { keys: keys.into_iter().map(key).collect() }
    }
}

/// The routes below `/oauth/keys`.
pub fn routes(foundation: &Arc<Foundation>) -> Router {
    let router = Router::new().route("/", get(list).post(rotate)).route("/{kid}", delete(revoke));
    let surface = Surface::<Plain>::new("token-keys", foundation.environment.clone());
    let router = surface.body_bytes_max(BODY_BYTES_MAX).finish(router.with_state(foundation.clone()));
    Router::new().nest("/oauth/keys", router)
}

async fn list(
    State(foundation): State<Arc<Foundation>>,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    leave(&foundation, &headers).await?;
    Ok(reply(StatusCode::OK, &Keys::from(foundation.tokens.signing_keys().await?)))
}

/// Begins a rotation. While one is under way nothing changes, so a repetition is harmless.
async fn rotate(
    State(foundation): State<Arc<Foundation>>,
    headers: HeaderMap,
    body: Unread<IdempotentJson<NewKey, Plain>>,
) -> Result<Response, Refused<Plain>> {
    let (principal, scope) = leave(&foundation, &headers).await?;
    let IdempotentJson(NewKey {}, idempotency, ..) = body.read().await?;
    let mut transaction = foundation.store.begin(&scope);
    let key = principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    drop(transaction);
    let keys = foundation.tokens.rotate_signing_key(OldKey::Retired).await.map_err(refused)?;
    let reply = Reply::json(StatusCode::CREATED, &Keys::from(keys));
    let transaction = foundation.store.begin(&scope);
    Ok(idempotency.conclude((&foundation.store, &scope), transaction, &key, reply).await?)
}

async fn revoke(
    State(foundation): State<Arc<Foundation>>,
    Path(kid, ..): Path<String, Plain>,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    leave(&foundation, &headers).await?;
    match foundation.tokens.revoke_signing_key(&kid).await.map_err(refused)? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(Rejection::new(Kind::NotFound, format!("There is no signing key '{kid}'.")).into()),
    }
}

async fn leave(
    foundation: &Foundation,
    headers: &HeaderMap,
) -> Result<(Principal, OperatorScope), Rejection> {
    let token = heddle_web::bearer_token(headers)?;
    let principal = foundation.authenticator.authenticate(token).await.map_err(|error| refusal(&error))?;
    let scope = foundation.authenticator.operator(&principal, &KEYS_ADMIN);
    let scope = scope.map_err(|error| Rejection::new(Kind::Forbidden, error.to_string()))?;
    Ok((principal, scope))
}

fn refused(error: TokenServiceError) -> Rejection {
    match error {
        TokenServiceError::Store(error) => error.into(),
        TokenServiceError::Vault(error) => Rejection::internal(&error),
    }
}
