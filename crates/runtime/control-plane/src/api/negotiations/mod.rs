//! `…/participants/{context}/contractnegotiations`: negotiations as their owner sees them.

mod selection;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use heddle_ids::ParticipantContextId;
use heddle_store::{Loaded, StoreError};
use heddle_web::{Kind, Management, Path, Rejection};

use super::{
    answer::{Outcome, Shown, conflict, created, done, not_found, ok},
    counter_party::addressed,
    document::{Creation, Document, OptionalDocument},
    guard::{NegotiationsRead, NegotiationsWrite, Own},
    present,
    query::{QuerySpec, select},
    traces,
};
use crate::{
    ControlPlane,
    model::Agreement,
    negotiation::{CommandError, NegotiationRecord},
};
pub(super) use wire::shown;
use wire::{ContractRequestDocument, StateBody, TerminateDocument};

const TYPE: &str = "ContractNegotiation";
/// How often a command is decided anew when somebody else changes the process at the same moment.
const ATTEMPTS_MAX: u32 = 8;
type Below = Path<(ParticipantContextId, String), Management>;

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/contractnegotiations", post(create))
        .route("/participants/{context}/contractnegotiations/request", post(query))
        .route("/participants/{context}/contractnegotiations/{id}", get(show).delete(remove))
        .route("/participants/{context}/contractnegotiations/{id}/state", get(state))
        .route("/participants/{context}/contractnegotiations/{id}/agreement", get(agreement))
        .route("/participants/{context}/contractnegotiations/{id}/terminate", post(terminate))
        .route("/participants/{context}/contractnegotiations/{id}/trace", get(trace))
}

/// A command that was not carried out, in the words of the Management API.
pub(super) fn refused(error: CommandError, kind: &str, id: &str) -> Rejection {
    match error {
        CommandError::NotFound => not_found(kind, id),
        CommandError::Conflict(why) => conflict(why),
        CommandError::Invalid(why) => Rejection::new(Kind::Malformed, why),
        CommandError::Store(error) => error.into(),
    }
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<NegotiationsWrite>,
    Creation(document, idempotency): Creation<ContractRequestDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let key = own.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    present::lasting(&mut transaction, &own.scope).await?;
    let addressed = addressed(&plane, &own.scope, &document.profile()?).await?;
    let new = document.into_negotiation()?;
    let record = plane.begin_negotiation(&mut transaction, &own.scope, &addressed, new);
    let record = record.map_err(|error| refused(error, TYPE, ""))?;
    let reply = created(record.process.id().as_str(), record.process.created_at());
    Ok(idempotency.conclude((&plane.store, &own.scope), transaction, &key, reply).await?)
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<NegotiationsRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let found = select::<NegotiationRecord>(&mut transaction, &selection::with_state_names(spec)).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn load<R>(
    plane: &ControlPlane,
    own: &Own<R>,
    id: &str,
) -> Result<Loaded<NegotiationRecord>, Rejection> {
    let record = plane.store.begin(&own.scope).load::<NegotiationRecord>(id).await?;
    record.ok_or_else(|| not_found(TYPE, id))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<NegotiationsRead>,
    Path((_, id), ..): Below,
) -> Outcome {
    Ok(ok(&shown(load(&plane, &own, &id).await?.value())))
}

async fn state(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<NegotiationsRead>,
    Path((_, id), ..): Below,
) -> Outcome {
    let record = load(&plane, &own, &id).await?;
    Ok(ok(&Shown::new("NegotiationState", StateBody { state: record.management_state() })))
}

async fn trace(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<NegotiationsRead>,
    Path((_, id), ..): Below,
) -> Outcome {
    Ok(traces::shown(&load(&plane, &own, &id).await?.trace))
}

async fn agreement(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<NegotiationsRead>,
    Path((_, id), ..): Below,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let record = transaction.load::<NegotiationRecord>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    let agreement = match &record.agreement {
        Some(agreement) => transaction.load::<Agreement>(agreement.as_str()).await?,
        None => None,
    };
    let none = || Rejection::new(Kind::NotFound, format!("The negotiation {id} has no agreement"));
    Ok(ok(&super::agreements::shown(agreement.ok_or_else(none)?.value())))
}

async fn terminate(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<NegotiationsWrite>,
    Path((_, id), ..): Below,
    Document(document): Document<TerminateDocument>,
) -> Outcome {
    let mut attempts = 1;
    loop {
        match plane.terminate_negotiation(&own.scope, &id, document.reason.clone()).await {
            // The process moved at the same moment: decide again about what it is now.
            Err(CommandError::Store(StoreError::Stale { .. })) if attempts < ATTEMPTS_MAX => attempts += 1,
            outcome => {
                outcome.map_err(|error| refused(error, TYPE, &id))?;
                return Ok(done());
            }
        }
    }
}

/// Forgets a negotiation that has come to nothing.
async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<NegotiationsWrite>,
    Path((_, id), ..): Below,
) -> Result<Response, heddle_web::Refused<Management>> {
    let mut transaction = plane.store.begin(&own.scope);
    let record = transaction.load::<NegotiationRecord>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    if record.agreement.is_some() || record.management_state() != "TERMINATED" {
        let state = record.management_state();
        let why =
            format!("ContractNegotiation {id} cannot be deleted: it is {state}, or has led to an agreement");
        return Err(conflict(why).into());
    }
    transaction.delete(&record);
    transaction.commit().await?;
    Ok(done())
}
