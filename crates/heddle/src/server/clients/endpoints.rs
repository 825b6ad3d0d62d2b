//! The endpoint.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use heddle_auth::{Area, ClientError, Forbidden, NewClient, Principal, RequiredScope};
use heddle_ids::{ClientId, ParticipantContextId};
use heddle_store::StoreError;
use heddle_web::{Json, Kind, Path, Plain, Refused, Rejection, Surface, Unread, reply};
use http::{HeaderMap, StatusCode};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::server::{foundation::Foundation, unauthenticated::refusal};

/// Clients are made and ended by whoever administers participants. Never by the participant itself: with a token that
/// outlives it, one that was removed would give itself a client again.
const CLIENTS_ADMIN: RequiredScope = RequiredScope::admin("identity-api").within(Area::Participants);
/// Largest request, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// What a participant's client may do: everything of its own context.
const SCOPES: [&str; 5] = [
    "management-api:write",
    "identity-api:write",
    "issuer-admin-api:write",
    "data-plane-api:write",
    "catalog-api:read",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewClientRequest {
    participant_context_id: ParticipantContextId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewClientResponse {
    client_id: String,
    client_secret: String,
    participant_context_id: ParticipantContextId,
}

/// The route `/oauth/clients`.
pub fn routes(foundation: &Arc<Foundation>) -> Router {
    let router = Router::new().route("/", post(create)).route("/{context}", delete(remove));
    let router = router.with_state(foundation.clone());
    let surface = Surface::<Plain>::new("clients", foundation.environment.clone());
    Router::new().nest("/oauth/clients", surface.body_bytes_max(BODY_BYTES_MAX).finish(router))
}

async fn create(
    State(foundation): State<Arc<Foundation>>,
    headers: HeaderMap,
    request: Unread<Json<NewClientRequest, Plain>>,
) -> Result<Response, Refused<Plain>> {
    let principal = principal(&foundation, &headers).await?;
    // Whoever may do this for nobody is told before the request is read, which says for whom.
    foundation.authenticator.operator(&principal, &CLIENTS_ADMIN).map_err(forbidden)?;
    let Json(request, ..) = request.read().await?;
    let context = request.participant_context_id;
    let scope =
        foundation.authenticator.participant(&principal, &context, &CLIENTS_ADMIN).map_err(forbidden)?;
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let client_id = key.map(|key| client_id_of(&principal.key(), key));
    let mut new = NewClient::participant().with_scopes(SCOPES.map(str::to_owned).to_vec());
    if let Some(id) = &client_id {
        let mut transaction = foundation.store.begin(&scope);
        if foundation.tokens.delete_client(&mut transaction, id).await? {
            transaction.commit().await?;
        }
        new = new.with_client_id(id.clone());
    }
    let mut transaction = foundation.store.begin(&scope);
    let made = foundation.tokens.create_client(&mut transaction, new).await.map_err(refused)?;
    transaction.commit().await?;
    let body = NewClientResponse {
        client_id: made.client_id.to_string(),
        client_secret: made.client_secret.expose_text().unwrap_or_default().to_owned(),
        participant_context_id: context,
    };
    Ok(reply(StatusCode::CREATED, &body))
}

/// Ends every client of a participant context. One that leaves loses them with its context, too: the credential service
/// ends them in the commit that removes it, and again in the one that makes its successor.
async fn remove(
    State(foundation): State<Arc<Foundation>>,
    Path(context, ..): Path<ParticipantContextId, Plain>,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let principal = principal(&foundation, &headers).await?;
    let scope =
        foundation.authenticator.participant(&principal, &context, &CLIENTS_ADMIN).map_err(forbidden)?;
    let mut transaction = foundation.store.begin(&scope);
    let clients = foundation.tokens.clients(&mut transaction).await?;
    if clients.is_empty() {
        return Err(Rejection::new(Kind::NotFound, "The participant context has no clients.").into());
    }
    for client in clients {
        foundation.tokens.delete_client(&mut transaction, client.client_id()).await?;
    }
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Who asks.
async fn principal(foundation: &Foundation, headers: &HeaderMap) -> Result<Principal, Rejection> {
    let token = heddle_web::bearer_token(headers)?;
    foundation.authenticator.authenticate(token).await.map_err(|error| refusal(&error))
}

fn forbidden(error: Forbidden) -> Rejection {
    Rejection::new(Kind::Forbidden, error.to_string())
}

fn refused(error: ClientError) -> Rejection {
    match error {
        ClientError::Store(error) => StoreError::into(error),
        other => Rejection::new(Kind::Conflict, other.to_string()),
    }
}

/// The id that a repeated request finds again; nobody else's key leads to it.
fn client_id_of(principal: &str, key: &str) -> ClientId {
    let text = format!("{}:{principal}{key}", principal.len());
    let hash = digest(&SHA256, text.as_bytes());
    let hex: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    ClientId::parse(hex).expect("hex digits are an identifier")
}
