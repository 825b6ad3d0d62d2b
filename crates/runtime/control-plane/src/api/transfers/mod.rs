//! `…/participants/{context}/transferprocesses`: transfers as their owner sees and steers them.

mod selection;
mod wire;

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_ids::ParticipantContextId;
use heddle_store::{Loaded, StoreError};
use heddle_web::{Management, Path, Rejection};

use super::{
    answer::{Outcome, Shown, created, done, not_found, ok},
    counter_party::addressed,
    document::{Creation, Document, OptionalDocument},
    guard::{Own, TransfersRead, TransfersWrite},
    negotiations::refused,
    present,
    query::{QuerySpec, select},
    traces,
};
use crate::{ControlPlane, negotiation::CommandError, transfer::TransferRecord};
use wire::{StateBody, SuspendDocument, TerminateDocument, TransferRequestDocument, shown};

const TYPE: &str = "TransferProcess";
/// How often a command is decided anew when somebody else changes the process at the same moment.
const ATTEMPTS_MAX: u32 = 8;
type Below = Path<(ParticipantContextId, String), Management>;

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/transferprocesses", post(create))
        .route("/participants/{context}/transferprocesses/request", post(query))
        .route("/participants/{context}/transferprocesses/{id}", get(show))
        .route("/participants/{context}/transferprocesses/{id}/state", get(state))
        .route("/participants/{context}/transferprocesses/{id}/suspend", post(suspend))
        .route("/participants/{context}/transferprocesses/{id}/resume", post(resume))
        .route("/participants/{context}/transferprocesses/{id}/terminate", post(terminate))
        .route("/participants/{context}/transferprocesses/{id}/trace", get(trace))
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<TransfersWrite>,
    Creation(document, idempotency): Creation<TransferRequestDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let key = own.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    present::lasting(&mut transaction, &own.scope).await?;
    let addressed = addressed(&plane, &own.scope, &document.profile()?).await?;
    let new = document.into_transfer()?;
    let record = plane.begin_transfer(&mut transaction, &addressed, new).await;
    let record = record.map_err(|error| refused(error, TYPE, ""))?;
    let reply = created(record.process.id().as_str(), record.process.created_at());
    Ok(idempotency.conclude((&plane.store, &own.scope), transaction, &key, reply).await?)
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<TransfersRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let found = select::<TransferRecord>(&mut transaction, &selection::with_state_names(spec)).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn load(
    plane: &ControlPlane,
    own: &Own<TransfersRead>,
    id: &str,
) -> Result<Loaded<TransferRecord>, Rejection> {
    let record = plane.store.begin(&own.scope).load::<TransferRecord>(id).await?;
    record.ok_or_else(|| not_found(TYPE, id))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<TransfersRead>,
    Path((_, id), ..): Below,
) -> Outcome {
    Ok(ok(&shown(load(&plane, &own, &id).await?.value())))
}

async fn state(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<TransfersRead>,
    Path((_, id), ..): Below,
) -> Outcome {
    let record = load(&plane, &own, &id).await?;
    Ok(ok(&Shown::new("TransferState", StateBody { state: record.management_state() })))
}

async fn trace(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<TransfersRead>,
    Path((_, id), ..): Below,
) -> Outcome {
    Ok(traces::shown(&load(&plane, &own, &id).await?.trace))
}

async fn suspend(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<TransfersWrite>,
    Path((_, id), ..): Below,
    OptionalDocument(document): OptionalDocument<SuspendDocument>,
) -> Outcome {
    commanded(&id, || plane.suspend_transfer(&own.scope, &id, document.reason.clone())).await
}

async fn resume(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<TransfersWrite>,
    Path((_, id), ..): Below,
) -> Outcome {
    commanded(&id, || plane.resume_transfer(&own.scope, &id)).await
}

async fn terminate(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<TransfersWrite>,
    Path((_, id), ..): Below,
    Document(document): Document<TerminateDocument>,
) -> Outcome {
    commanded(&id, || plane.terminate_transfer(&own.scope, &id, document.reason.clone())).await
}

/// Carries a command out, anew while somebody else changes the process at the same moment.
async fn commanded<F>(id: &str, command: impl Fn() -> F) -> Outcome
where
    F: Future<Output = Result<(), CommandError>>,
{
    let mut attempts = 1;
    loop {
        match command().await {
            // The process moved at the same moment: decide again about what it is now.
            Err(CommandError::Store(StoreError::Stale { .. })) if attempts < ATTEMPTS_MAX => attempts += 1,
            outcome => {
                outcome.map_err(|error| refused(error, TYPE, id))?;
                return Ok(done());
            }
        }
    }
}
