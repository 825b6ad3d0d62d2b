//! Why something was decided, as its owner reads it: `…/trace` of a process, and `…/denials` for requests that
//! came to nothing. Ours; plain JSON.

use std::{borrow::Cow, sync::Arc};

use axum::{Router, extract::State, response::Response, routing::get};
use heddle_clock::Timestamp;
use heddle_ids::ParticipantContextId;
use heddle_store::{LIST_ROWS_MAX, Loaded, Order};
use heddle_web::{Management, Path, Query};
use serde::{Deserialize, Serialize};

use super::{
    answer::{Outcome, not_found, ok},
    guard::{CatalogRead, DenialsRead, NegotiationsRead, Own, Requirement, TransfersRead},
    present,
};
use crate::{
    ControlPlane,
    trace::{DecisionTrace, Denial, TraceEntry},
};

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/denials", get(list))
        .route("/participants/{context}/denials/{id}", get(show))
}

#[derive(Debug, Serialize)]
struct TraceBody<'a> {
    entries: &'a [TraceEntry],
}

/// The trace of a process.
pub(super) fn shown(trace: &DecisionTrace) -> Response {
    ok(&TraceBody { entries: trace.entries() })
}

/// A refused request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DenialBody<'a> {
    id: &'a str,
    counter_party_id: &'a str,
    request: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    reason: &'a str,
    /// How often the same was refused.
    times: u32,
    first_at: Timestamp,
    /// When it last was; the entries are of that time.
    at: Timestamp,
    entries: &'a [TraceEntry],
}

impl<'a> From<&'a Denial> for DenialBody<'a> {
    fn from(denial: &'a Denial) -> Self {
        Self {
            id: &denial.id,
            counter_party_id: &denial.counter_party,
            request: &denial.request,
            subject: denial.subject.as_deref(),
            reason: &denial.reason,
            times: denial.times,
            first_at: denial.first_at.unwrap_or(denial.at),
            at: denial.at,
            entries: denial.trace.entries(),
        }
    }
}

/// A page of the list.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    offset: u32,
    #[serde(default)]
    limit: Option<u32>,
}

/// The kinds of requests whose denials the caller may read.
fn readable(plane: &ControlPlane, own: &Own<DenialsRead>) -> Vec<&'static str> {
    let kinds = [
        ("catalog", CatalogRead::SCOPE),
        ("negotiation", NegotiationsRead::SCOPE),
        ("transfer", TransfersRead::SCOPE),
    ];
    kinds.iter().filter(|(_, scope)| own.satisfies(plane, scope)).map(|(kind, _)| *kind).collect()
}

/// Newest first.
async fn list(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DenialsRead>,
    Query(page, ..): Query<Page, Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let limit = page.limit.unwrap_or(50).min(LIST_ROWS_MAX);
    let query = heddle_store::Query {
        states: readable(&plane, &own).into_iter().map(Cow::Borrowed).collect(),
        order: Order::CreatedDescending,
        offset: page.offset,
        limit,
        ..heddle_store::Query::default()
    };
    let denials = transaction.list::<Denial>(&query).await?;
    Ok(ok(&denials.iter().map(Loaded::value).map(DenialBody::from).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DenialsRead>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let denial = plane.store.begin(&own.scope).load::<Denial>(&id).await?;
    let readable = readable(&plane, &own);
    let denial = denial.filter(|denial| readable.contains(&denial.request.as_str()));
    Ok(ok(&DenialBody::from(denial.ok_or_else(|| not_found("Denial", &id))?.value())))
}
