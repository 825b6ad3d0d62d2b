//! `…/credentials/request`: ask an issuer for credentials, and see how far that is.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::Response,
};
use heddle_clock::Environment;
use heddle_credentials::Format;
use heddle_did::Did;
use heddle_ids::{HolderPid, ParticipantContextId};
use heddle_store::Query as Everything;
use heddle_web::{IdempotentJson, Kind, Management, Path, Refused, Rejection, Reply, Unread, reply};
use serde::Deserialize;

use super::{
    guard::{Caller, REQUESTS_READ, REQUESTS_WRITE, not_found},
    resource::RequestResource,
};
use crate::{
    CredentialService,
    segment::segment,
    wallet::{CredentialRequest, Wanted},
};

/// Most credentials of one request.
const CREDENTIALS_MAX: usize = 100;
/// Most requests of one participant context.
const REQUESTS_MAX: u64 = 5_000;
/// Longest type or id, in bytes.
const TEXT_BYTES_MAX: usize = 1024;

/// The body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestBody {
    issuer_did: Did,
    #[serde(default)]
    holder_pid: Option<HolderPid>,
    credentials: Vec<WantedBody>,
}

#[derive(Debug, Deserialize)]
struct WantedBody {
    /// The id of the issuer's credential object; left out, it is found by type and format.
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "type", alias = "credentialType")]
    kind: String,
    format: Format,
}

impl RequestBody {
    /// The request that is meant.
    pub(super) fn checked(self, environment: &Environment) -> Result<CredentialRequest, Rejection> {
        if !(1..=CREDENTIALS_MAX).contains(&self.credentials.len()) {
            let message = format!("expected 1 to {CREDENTIALS_MAX} credentials");
            return Err(Rejection::invalid("/credentials", message));
        }
        let (mut wanted, mut seen) = (Vec::new(), BTreeSet::new());
        for (index, entry) in self.credentials.into_iter().enumerate() {
            let at = |member: &str| format!("/credentials/{index}/{member}");
            let legal = |text: &str| (1..=TEXT_BYTES_MAX).contains(&text.len());
            if !legal(&entry.kind) {
                return Err(Rejection::invalid(at("type"), "expected the type of a credential"));
            }
            if entry.id.as_deref().is_some_and(|id| !legal(id)) {
                return Err(Rejection::invalid(
                    at("id"),
                    "expected the id of a credential object, or nothing",
                ));
            }
            let key = entry.id.clone().unwrap_or_else(|| format!("{} {}", entry.format.alias(), entry.kind));
            if !seen.insert(key) {
                return Err(Rejection::invalid(at("id"), "the same credential is asked for twice"));
            }
            wanted.push(Wanted { id: entry.id, credential_type: entry.kind, format: entry.format });
        }
        let (ms, random) = environment.id_parts();
        let holder_pid = self.holder_pid.unwrap_or_else(|| HolderPid::from_parts(ms, random));
        Ok(CredentialRequest::new(holder_pid, self.issuer_did, wanted, environment.now()))
    }
}

/// Where a request is shown.
pub(super) fn location(context: &ParticipantContextId, holder_pid: &HolderPid) -> String {
    format!(
        "/api/identity/v1beta/participants/{}/credentials/request/{}",
        segment(context.as_str()),
        segment(holder_pid.as_str())
    )
}

pub(super) async fn create(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
    body: Unread<IdempotentJson<RequestBody, Management>>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &REQUESTS_WRITE).await?;
    let IdempotentJson(body, idempotency, ..) = body.read().await?;
    let mut transaction = service.store.begin(&scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &caller.0.key()).await? {
        return Ok(earlier);
    }
    let context = service.context(&mut transaction, &scope).await?;
    if !context.is_active() {
        return Err(Rejection::new(Kind::Malformed, "The participant context is not active.").into());
    }
    let request = body.checked(&service.environment)?;
    if transaction.count::<CredentialRequest>(&Everything::default()).await? >= REQUESTS_MAX {
        let message = format!("The participant context has {REQUESTS_MAX} credential requests already.");
        return Err(Rejection::new(Kind::Unprocessable, message).into());
    }
    transaction.check(&context);
    transaction.insert(&request);
    transaction.enqueue(request.send_job());
    request.tell(&mut transaction, scope.participant());
    let location = location(scope.participant(), &request.holder_pid);
    let reply = Reply::empty(StatusCode::CREATED).with_header(&LOCATION, location);
    let committed = idempotency.conclude((&service.store, &scope), transaction, &caller.0.key(), reply).await;
    Ok(committed?)
}

pub(super) async fn show(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path((named, pid), ..): Path<(ParticipantContextId, HolderPid), Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &REQUESTS_READ).await?;
    let request = service.store.begin(&scope).load::<CredentialRequest>(pid.as_str()).await?;
    let request = request.ok_or_else(|| not_found("credential request", pid.as_str()))?;
    Ok(reply(StatusCode::OK, &RequestResource::from(request.value())))
}
