//! `/api/operations/v1alpha1/dead-jobs`, and `…/participants/{context}/dead-jobs` for a participant's own.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use heddle_clock::Timestamp;
use heddle_ids::JobId;
use heddle_store::{DEAD_JOBS_MAX, DeadJob, DeadJobQuery};
use heddle_tenancy::Owner;
use heddle_web::{Json, Kind, Path, Plain, Query, Refused, Rejection, Surface, reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    guard::Leave,
    settle::{Ending, settle},
};
use crate::server::foundation::Foundation;

/// Largest request, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// Jobs of a page, unless the request says how many.
const PAGE: u32 = 100;

/// The routes; they need the scope `management-api:jobs`, and where no participant is named also leave to act for the
/// installation.
pub fn routes(foundation: &Arc<Foundation>) -> Router {
    let jobs = Router::new()
        .route("/", get(list))
        .route("/replay", post(replay_all))
        .route("/discard", post(discard_all))
        .route("/{id}", get(show).delete(discard))
        .route("/{id}/replay", post(replay));
    let router = Router::new()
        .nest("/dead-jobs", jobs.clone())
        .nest("/participants/{context}/dead-jobs", jobs)
        .with_state(foundation.clone());
    let surface = Surface::<Plain>::new("dead-jobs", foundation.environment.clone());
    Router::new().nest("/api/operations/v1alpha1", surface.body_bytes_max(BODY_BYTES_MAX).finish(router))
}

/// Which jobs. A filter that is not known is refused: it would otherwise mean more jobs than were meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    owner: Option<String>,
    kind: Option<String>,
    host: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// Which jobs are to be ended: those that fit, or, said outright, all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    owner: Option<String>,
    kind: Option<String>,
    host: Option<String>,
    #[serde(default)]
    all: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobBody<'a> {
    id: &'a JobId,
    owner: String,
    kind: &'a str,
    order_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    attempts: u32,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    died_at: Option<Timestamp>,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

impl<'a> From<&'a DeadJob> for JobBody<'a> {
    fn from(job: &'a DeadJob) -> Self {
        Self {
            id: &job.id,
            owner: job.owner.to_string(),
            kind: &job.kind,
            order_key: &job.order_key,
            host: job.host.as_deref(),
            attempts: job.attempts,
            created_at: job.created_at,
            died_at: job.died_at,
            error: &job.error,
            trace_id: job.trace.map(|trace| trace.trace_id()),
        }
    }
}

/// A page; `next` is the `after` of the next one.
#[derive(Serialize)]
struct ListBody<'a> {
    jobs: Vec<JobBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a JobId>,
}

#[derive(Serialize)]
struct Replayed {
    replayed: u64,
}

#[derive(Serialize)]
struct Discarded {
    discarded: u64,
}

async fn list(
    State(foundation): State<Arc<Foundation>>,
    leave: Leave,
    Query(filter, ..): Query<Filter, Plain>,
) -> Result<Response, Refused<Plain>> {
    let limit = filter.limit.unwrap_or(PAGE);
    if !(1..=DEAD_JOBS_MAX).contains(&limit) {
        return Err(Rejection::new(Kind::Invalid, format!("limit is 1 to {DEAD_JOBS_MAX}.")).into());
    }
    let query = DeadJobQuery {
        owner: owner_of(filter.owner)?,
        id: None,
        kind: filter.kind,
        host: filter.host,
        after: filter.after.map(|id| JobId::parse(id).map_err(|_| not_an_id())).transpose()?,
        limit,
    };
    let jobs = leave.dead_jobs(&foundation, query).await?;
    let full = jobs.len() as u64 == u64::from(limit);
    let next = if full { jobs.last().map(|job| &job.id) } else { None };
    Ok(reply(StatusCode::OK, &ListBody { jobs: jobs.iter().map(JobBody::from).collect(), next }))
}

async fn show(
    State(foundation): State<Arc<Foundation>>,
    leave: Leave,
    Path(place, ..): Path<Place, Plain>,
) -> Result<Response, Refused<Plain>> {
    let jobs = leave.dead_jobs(&foundation, one(place)?).await?;
    let gone =
        "There is no such job among those that were set aside: it was replayed or discarded, or never was.";
    let job = jobs.first().ok_or_else(|| Rejection::new(Kind::NotFound, gone))?;
    Ok(reply(StatusCode::OK, &JobBody::from(job)))
}

async fn replay(
    State(foundation): State<Arc<Foundation>>,
    leave: Leave,
    Path(place, ..): Path<Place, Plain>,
) -> Result<Response, Refused<Plain>> {
    let replayed = settle(&foundation, &leave, one(place)?, Ending::Replay).await?;
    Ok(reply(StatusCode::OK, &Replayed { replayed }))
}

async fn discard(
    State(foundation): State<Arc<Foundation>>,
    leave: Leave,
    Path(place, ..): Path<Place, Plain>,
) -> Result<Response, Refused<Plain>> {
    settle(&foundation, &leave, one(place)?, Ending::Discard).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn replay_all(
    State(foundation): State<Arc<Foundation>>,
    leave: Leave,
    Json(selection, ..): Json<Selection, Plain>,
) -> Result<Response, Refused<Plain>> {
    let replayed = settle(&foundation, &leave, selected(selection)?, Ending::Replay).await?;
    Ok(reply(StatusCode::OK, &Replayed { replayed }))
}

async fn discard_all(
    State(foundation): State<Arc<Foundation>>,
    leave: Leave,
    Json(selection, ..): Json<Selection, Plain>,
) -> Result<Response, Refused<Plain>> {
    let discarded = settle(&foundation, &leave, selected(selection)?, Ending::Discard).await?;
    Ok(reply(StatusCode::OK, &Discarded { discarded }))
}

/// The parameters of a path; what else they name is the guard's.
#[derive(Deserialize)]
struct Place {
    id: String,
}

fn one(place: Place) -> Result<DeadJobQuery, Rejection> {
    let id = JobId::parse(place.id).map_err(|_| not_an_id())?;
    Ok(DeadJobQuery { id: Some(id), limit: 1, ..DeadJobQuery::default() })
}

fn selected(selection: Selection) -> Result<DeadJobQuery, Rejection> {
    let Selection { owner, kind, host, all } = selection;
    if !all && owner.is_none() && kind.is_none() && host.is_none() {
        let what = "Say which jobs: by 'owner', 'kind' or 'host', or 'all': true.";
        return Err(Rejection::invalid("", what));
    }
    Ok(DeadJobQuery { owner: owner_of(owner)?, kind, host, ..DeadJobQuery::default() })
}

fn owner_of(text: Option<String>) -> Result<Option<Owner>, Rejection> {
    text.map(|text| text.parse().map_err(|error| Rejection::new(Kind::Invalid, format!("owner: {error}."))))
        .transpose()
}

fn not_an_id() -> Rejection {
    Rejection::new(Kind::NotFound, "This is not the id of a job.")
}
