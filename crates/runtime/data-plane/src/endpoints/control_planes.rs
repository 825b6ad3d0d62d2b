//! Registration of control planes (DPS 1.0, `PUT /controlplanes`). Repeating it replaces what was registered before.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{delete, put},
};
use heddle_dps::wire::{self, AuthorizationEntry, ControlPlaneRegistrationMessage};
use heddle_ids::ParticipantContextId;
use heddle_tenancy::ParticipantScope;
use heddle_vault::{Secret, VaultError};
use heddle_web::{JsonBytes, Kind, Path, Plain, Refused, Rejection, Unread};
use http::{HeaderMap, StatusCode};

use super::access::CONTROL_PLANES_WRITE;
use crate::{
    DataPlane, aliases,
    control_planes::{CallbackClient, RegisteredControlPlane},
    presence::{Presence, Word},
};

/// The authorization profile by which we prove ourselves.
const CLIENT_CREDENTIALS: &str = "oauth2_client_credentials";

type Outcome = Result<Response, Refused<Plain>>;

pub(super) fn routes() -> Router<Arc<DataPlane>> {
    Router::new().route("/", put(register)).route("/{id}", delete(withdraw))
}

async fn register(
    State(plane): State<Arc<DataPlane>>,
    Path(context, ..): Path<ParticipantContextId, Plain>,
    headers: HeaderMap,
    body: Unread<JsonBytes<Plain>>,
) -> Outcome {
    let (scope, word) = plane.registrar(&headers, &context).await?;
    let JsonBytes(body, ..) = body.read().await?;
    let message: ControlPlaneRegistrationMessage =
        wire::parse(&body).map_err(|error| Rejection::new(Kind::Malformed, error.to_string()))?;
    let (client, secret) = message.authorization.as_ref().map(proof).transpose()?.unzip();
    let id = message.controlplane_id.to_string();
    let registered = RegisteredControlPlane { id: id.clone(), endpoint: message.endpoint, client };
    plane.keep(&scope, word, (&registered, secret.as_ref())).await?;
    plane.callback_tokens.forget(&scope, &id);
    if secret.is_none() {
        plane.forget_client_secret(&scope, &id).await?;
    }
    Ok(StatusCode::OK.into_response())
}

/// Our client at the control plane's token service, and its secret.
fn proof(entry: &AuthorizationEntry) -> Result<(CallbackClient, Secret), Rejection> {
    if entry.kind() != CLIENT_CREDENTIALS {
        let what = format!(
            "The authorization profile '{}' is not supported; use {CLIENT_CREDENTIALS}.",
            entry.kind()
        );
        return Err(Rejection::invalid("/authorization/type", what));
    }
    let text = |name: &str| {
        let missing = || Rejection::invalid(format!("/authorization/{name}"), "A text was expected.");
        entry.text(name).map(str::to_owned).ok_or_else(missing)
    };
    let client = CallbackClient { token_endpoint: text("tokenEndpoint")?, client_id: text("clientId")? };
    Ok((client, Secret::from_text(text("clientSecret")?)))
}

async fn withdraw(
    State(plane): State<Arc<DataPlane>>,
    Path((context, id), ..): Path<(ParticipantContextId, String), Plain>,
    headers: HeaderMap,
) -> Outcome {
    let scope = plane.application(&headers, &context, &CONTROL_PLANES_WRITE).await?;
    let mut transaction = plane.store.begin(&scope);
    let loaded = transaction.load::<RegisteredControlPlane>(&id).await?;
    let loaded = loaded.ok_or_else(|| Rejection::new(Kind::NotFound, "There is no such control plane."))?;
    transaction.delete(&loaded);
    transaction.commit().await?;
    plane.callback_tokens.forget(&scope, &id);
    plane.forget_client_secret(&scope, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl DataPlane {
    /// Stores a registration, unless the participant is being removed in the meantime.
    async fn keep(
        &self,
        scope: &ParticipantScope,
        word: Word,
        (registered, secret): (&RegisteredControlPlane, Option<&Secret>),
    ) -> Result<(), Rejection> {
        loop {
            let mut transaction = self.store.begin(scope);
            Presence::admit(&mut transaction, scope.participant(), word).await?;
            match transaction.load::<RegisteredControlPlane>(&registered.id).await? {
                Some(loaded) => transaction.save(&loaded, registered),
                None => transaction.insert(registered),
            }
            if let Some(secret) = secret {
                let alias = aliases::client_secret(&registered.id);
                self.vault.store_secret_in(&mut transaction, &alias, secret).await.map_err(of_vault)?;
            }
            match transaction.commit().await {
                // Another control plane is registered at the same moment, or the participant removed.
                Err(error) if Presence::collided(&error) => {}
                other => return Ok(other?),
            }
        }
    }

    async fn forget_client_secret(&self, scope: &ParticipantScope, id: &str) -> Result<(), Rejection> {
        self.vault.delete_secret(scope, &aliases::client_secret(id)).await.map(drop).map_err(of_vault)
    }
}

fn of_vault(error: VaultError) -> Rejection {
    match error {
        VaultError::Store(error) => error.into(),
        error => Rejection::internal(&error),
    }
}
