//! `/api/audit/v1beta/…`: sealed entries, page by page.
//!
//! `entries` shows an operator everybody's, `participants/{context}/entries` a participant its own, `head` the end of
//! the chain. `after` is the place of the last entry that was seen, 0 at the beginning.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::get};
use heddle_auth::{Area, Principal, RequiredScope};
use heddle_ids::ParticipantContextId;
use heddle_store::audit::SealedRecord;
use heddle_web::{Kind, Path, Plain, Query, Refused, Rejection, Surface, Unread, reply};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::server::{foundation::Foundation, unauthenticated::refusal};

/// Everybody's entries, and the head, are for whoever administers the installation.
const AUDIT_ADMIN: RequiredScope = RequiredScope::admin("management-api").within(Area::Installation);
/// A participant reads its own, and whoever administers it reads them too.
const AUDIT_READ: RequiredScope = RequiredScope::read("management-api", "audit");
/// Entries of a page unless fewer are asked for.
const PAGE: u32 = 100;
/// Most entries of a page.
const PAGE_MAX: u32 = 1000;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

impl Page {
    fn limit(&self) -> Result<u32, Rejection> {
        match self.limit.unwrap_or(PAGE) {
            limit @ 1..=PAGE_MAX => Ok(limit),
            other => {
                let what = format!("'limit' must be from 1 to {PAGE_MAX}, not {other}.");
                Err(Rejection::new(Kind::Malformed, what))
            }
        }
    }
}

/// An entry as it is shown.
#[derive(Serialize)]
struct Entry {
    place: u64,
    owner: String,
    actor: String,
    action: String,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    hash: String,
}

#[derive(Serialize)]
struct Entries {
    entries: Vec<Entry>,
    /// The value of `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

#[derive(Serialize)]
struct Head {
    place: u64,
    hash: String,
    unsealed: u64,
}

/// The routes below `/api/audit/v1beta`.
pub fn routes(foundation: &Arc<Foundation>) -> Router {
    let router = Router::new()
        .route("/entries", get(everybodys))
        .route("/head", get(head))
        .route("/participants/{context}/entries", get(own))
        .with_state(foundation.clone());
    let surface = Surface::<Plain>::new("audit", foundation.environment.clone());
    Router::new().nest("/api/audit/v1beta", surface.finish(router))
}

async fn everybodys(
    State(foundation): State<Arc<Foundation>>,
    headers: HeaderMap,
    page: Unread<Query<Page, Plain>>,
) -> Result<Response, Refused<Plain>> {
    let principal = principal(&foundation, &headers).await?;
    let operator = foundation.authenticator.operator(&principal, &AUDIT_ADMIN).map_err(forbidden)?;
    let Query(page, ..) = page.read().await?;
    let limit = page.limit()?;
    Ok(shown(foundation.store.audit(&operator, page.after, limit).await?, limit))
}

async fn own(
    State(foundation): State<Arc<Foundation>>,
    Path(context, ..): Path<ParticipantContextId, Plain>,
    headers: HeaderMap,
    page: Unread<Query<Page, Plain>>,
) -> Result<Response, Refused<Plain>> {
    let principal = principal(&foundation, &headers).await?;
    let scope = foundation.authenticator.participant(&principal, &context, &AUDIT_READ).map_err(forbidden)?;
    let Query(page, ..) = page.read().await?;
    let limit = page.limit()?;
    Ok(shown(foundation.store.audit_of(&scope, page.after, limit).await?, limit))
}

async fn head(
    State(foundation): State<Arc<Foundation>>,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let principal = principal(&foundation, &headers).await?;
    let operator = foundation.authenticator.operator(&principal, &AUDIT_ADMIN).map_err(forbidden)?;
    let state = foundation.store.audit_state(&operator).await?;
    let head = Head { place: state.head.place, hash: state.head.hash, unsealed: state.unsealed };
    Ok(reply(StatusCode::OK, &head))
}

fn shown(found: Vec<SealedRecord>, limit: u32) -> Response {
    let whole = u32::try_from(found.len()).is_ok_and(|found| found >= limit);
    let next = found.last().filter(|_| whole).map(|entry| entry.place);
    let entries = found.into_iter().map(|entry| Entry {
        place: entry.place,
        owner: entry.record.owner,
        actor: entry.record.actor,
        action: entry.record.action,
        subject: entry.record.subject,
        reason: entry.record.reason,
        at: entry.record.at.to_string(),
        trace: entry.record.trace,
        hash: entry.hash,
    });
    reply(StatusCode::OK, &Entries { entries: entries.collect(), next })
}

/// Who asks. 401 and 403 are decided before anything is looked up.
async fn principal(foundation: &Foundation, headers: &HeaderMap) -> Result<Principal, Rejection> {
    let token = heddle_web::bearer_token(headers)?;
    let principal = foundation.authenticator.authenticate(token).await;
    principal.map_err(|error| refusal(&error))
}

fn forbidden(error: heddle_auth::Forbidden) -> Rejection {
    Rejection::new(Kind::Forbidden, error.to_string())
}
