//! What data planes tell a control plane (Data Plane Signaling, control plane endpoints).
//!
//! A plane proves itself by a token whose subject is its id; a transfer that another plane works on is answered as
//! if it did not exist.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use heddle_auth::{RequiredScope, Role};
use heddle_dps::wire::{AgreementResponse, ReceivedStatus};
use heddle_ids::{DataPlaneId, ParticipantContextId};
use heddle_odrl::Policy;
use heddle_tenancy::{Actor, ParticipantScope};
use heddle_web::{Kind, Path, Plain, Refused, Rejection, reply};
use http::{HeaderMap, StatusCode};

use crate::{
    ControlPlane,
    model::Agreement,
    transfer::{Callback, CallbackError, TransferRecord},
};

type Plane = State<Arc<ControlPlane>>;
type Outcome = Result<Response, Refused<Plain>>;
type Below = Path<(ParticipantContextId, String), Plain>;

/// When a plane asks again whose token could not be checked.
const KEYS_WAIT: Duration = Duration::from_secs(2);
const SIGNALING: RequiredScope = RequiredScope::every("signaling", heddle_auth::Action::Write);

/// Routes below `/api/signaling/{context}`.
pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/transfers/{id}/dataflow/prepared", post(prepared))
        .route("/transfers/{id}/dataflow/started", post(started))
        .route("/transfers/{id}/dataflow/completed", post(completed))
        .route("/transfers/{id}/dataflow/errored", post(errored))
        .route("/transfers/{id}/agreement", get(agreement))
}

async fn prepared(
    State(plane): Plane,
    Path((context, id), ..): Below,
    headers: HeaderMap,
    body: Bytes,
) -> Outcome {
    take(&plane, context, &id, &headers, || status(&body).map(Callback::Prepared)).await
}

async fn started(
    State(plane): Plane,
    Path((context, id), ..): Below,
    headers: HeaderMap,
    body: Bytes,
) -> Outcome {
    take(&plane, context, &id, &headers, || status(&body).map(Callback::Started)).await
}

async fn completed(State(plane): Plane, Path((context, id), ..): Below, headers: HeaderMap) -> Outcome {
    take(&plane, context, &id, &headers, || Ok(Callback::Completed)).await
}

async fn errored(
    State(plane): Plane,
    Path((context, id), ..): Below,
    headers: HeaderMap,
    body: Bytes,
) -> Outcome {
    take(&plane, context, &id, &headers, || status(&body).map(Callback::Errored)).await
}

fn status(body: &[u8]) -> Result<ReceivedStatus, Rejection> {
    ReceivedStatus::parse_answer(body).map_err(|error| Rejection::new(Kind::Malformed, error.to_string()))
}

/// Takes what a data plane says; whether that can be read is looked at when it is known who says it.
async fn take(
    plane: &ControlPlane,
    context: ParticipantContextId,
    id: &str,
    headers: &HeaderMap,
    callback: impl FnOnce() -> Result<Callback, Rejection>,
) -> Outcome {
    let (scope, data_plane) = authenticate(plane, context, headers).await?;
    let callback = callback()?;
    plane.data_plane_callback(&scope, &data_plane, id, callback).await.map_err(|error| match error {
        CallbackError::NotFound => Rejection::new(Kind::NotFound, "There is no such transfer."),
        CallbackError::Conflict(reason) => Rejection::new(Kind::Conflict, reason),
        CallbackError::Invalid(reason) => Rejection::new(Kind::Invalid, reason),
        CallbackError::Store(error) => Rejection::from(error),
    })?;
    Ok(StatusCode::OK.into_response())
}

/// The data plane that calls, and leave to work on the participant's transfers that are its own.
async fn authenticate(
    plane: &ControlPlane,
    context: ParticipantContextId,
    headers: &HeaderMap,
) -> Result<(ParticipantScope, DataPlaneId), Rejection> {
    let unauthorized = |message: String| Rejection::new(Kind::Unauthorized, message);
    let token = heddle_web::bearer_token(headers)?;
    let principal = plane.authenticator.authenticate(token).await.map_err(|error| {
        if error.is_temporary() {
            return Rejection::unavailable(error.to_string(), KEYS_WAIT);
        }
        unauthorized(error.to_string())
    })?;
    // An issuer that speaks for some participants alone names no data plane of others; nor is a participant, or somebody of
    // a tenant, one whose name happens to be a data plane's.
    let own = principal.participant() == Some(&context);
    let bound = principal.is_confined() || principal.role() == Some(Role::Participant);
    if (bound && !own) || principal.tenant().is_some() {
        return Err(Rejection::new(Kind::Forbidden, "The token is for another participant context."));
    }
    if !principal.scopes().satisfies(&SIGNALING) {
        return Err(Rejection::new(Kind::Forbidden, format!("The token lacks the scope {SIGNALING}.")));
    }
    let data_plane =
        DataPlaneId::parse(principal.subject()).map_err(|error| unauthorized(error.to_string()))?;
    let scope = plane.scopes.data_plane(context.clone(), data_plane.clone());
    let actor = Actor::new(format!("data plane {}", scope.data_plane()));
    Ok((plane.scopes.participant(context, actor), data_plane))
}

async fn agreement(State(plane): Plane, Path((context, id), ..): Below, headers: HeaderMap) -> Outcome {
    let (scope, data_plane) = authenticate(&plane, context, &headers).await?;
    let missing = || Rejection::new(Kind::NotFound, "There is no such transfer.");
    let mut transaction = plane.store.begin(&scope);
    let record = transaction.load::<TransferRecord>(&id).await?;
    let record = record.filter(|record| record.data_plane == data_plane).ok_or_else(missing)?;
    let agreement = transaction.load::<Agreement>(record.agreement.as_str()).await?.ok_or_else(missing)?;
    let body: AgreementResponse<Policy> = AgreementResponse::new(agreement.into_value().policy);
    Ok(reply(StatusCode::OK, &body))
}
