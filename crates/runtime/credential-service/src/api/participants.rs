//! `/participants`: make, list, show, remove, activate.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use heddle_ids::ParticipantContextId;
use heddle_store::{Published, StoreError, Transaction};
use heddle_web::{
    IdempotentJson, Json, Kind, Management, Path, Query, Refused, Rejection, Reply, Unread, reply,
};
use serde::Deserialize;

use super::{
    guard::{Caller, PARTICIPANTS_ADMIN, PARTICIPANTS_READ, PARTICIPANTS_WRITE, forbidden},
    resource::{CreatedParticipant, ParticipantResource},
};
use crate::{
    CredentialService,
    participant::{
        self, HOLDER, HolderContext, ParticipantError, PublishedHolder, Settings,
        manifest::ParticipantManifest,
    },
};

/// Most participant contexts that one page shows.
const PAGE_MAX: u32 = 1_000;

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    offset: u32,
    limit: Option<u32>,
}

/// `?isActive=`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Activation {
    is_active: bool,
}

fn refused(error: ParticipantError) -> Rejection {
    match error {
        ParticipantError::Exists(_) => Rejection::new(Kind::Conflict, error.to_string()),
        ParticipantError::Store(error) => taken(error),
        ParticipantError::Vault(error) => Rejection::internal(&error),
    }
}

/// A duplicate is an id or a DID that somebody has.
fn taken(error: StoreError) -> Rejection {
    match error {
        StoreError::Duplicate { ref id, .. } => {
            Rejection::new(Kind::Conflict, format!("The id or DID '{id}' is taken."))
        }
        error => error.into(),
    }
}

impl CredentialService {
    /// Ends the clients of the participant context and all of its tokens, in the commit that removes it: nobody is left
    /// whom they could speak for.
    async fn end_tokens(&self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        match &self.token_service {
            Some(tokens) => tokens.end_participant(transaction).await,
            None => Ok(()),
        }
    }

    /// Lets a new participant context begin without those of another one that had its id.
    async fn begin_tokens(&self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        match &self.token_service {
            Some(tokens) => tokens.begin_participant(transaction).await,
            None => Ok(()),
        }
    }
}

pub(super) async fn create(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    body: Unread<IdempotentJson<ParticipantManifest, Management>>,
) -> Result<Response, Refused<Management>> {
    service.operator(&caller, &PARTICIPANTS_ADMIN)?;
    let IdempotentJson(manifest, idempotency, ..) = body.read().await?;
    let scope = service.authenticator.participant(&caller.0, manifest.id(), &PARTICIPANTS_ADMIN);
    let scope = scope.map_err(forbidden)?;
    let mut transaction = service.store.begin(&scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &caller.0.key()).await? {
        return Ok(earlier);
    }
    let new = manifest.checked(&service.public_url);
    let new = new.map_err(|error| Rejection::invalid(error.pointer, error.message))?;
    participant::check_vacant(&mut transaction, &new.id).await.map_err(refused)?;
    // Nothing of an earlier context of this id is told from here on. Asking for it needs a connection of its own.
    drop(transaction);
    let newest = service.store.newest_event().await?;
    let mut transaction = service.store.begin(&scope);
    let parts = (service.vault.as_ref(), &service.environment);
    participant::create(&mut transaction, parts, (new, newest)).await.map_err(refused)?;
    service.begin_tokens(&mut transaction).await?;
    let reply = Reply::json(StatusCode::OK, &CreatedParticipant::default());
    let committed = idempotency.conclude((&service.store, &scope), transaction, &caller.0.key(), reply).await;
    Ok(committed.map_err(taken)?)
}

pub(super) async fn list(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    page: Unread<Query<Page, Management>>,
) -> Result<Response, Refused<Management>> {
    service.operator(&caller, &PARTICIPANTS_ADMIN)?;
    let Query(page, ..) = page.read().await?;
    let limit = page.limit.unwrap_or(50).min(PAGE_MAX);
    let rows = skip(&service, page.offset, limit).await?;
    let resource = |row: &Published| -> Result<ParticipantResource, Rejection> {
        let holder: PublishedHolder = row.value()?;
        let id =
            ParticipantContextId::parse(row.key.as_str()).map_err(|error| Rejection::internal(&error))?;
        Ok(ParticipantResource::published(id, &holder))
    };
    let page = rows.iter().map(resource).collect::<Result<Vec<_>, _>>()?;
    Ok(reply(StatusCode::OK, &page))
}

/// The directory is read by key; an offset is walked.
async fn skip(service: &CredentialService, offset: u32, limit: u32) -> Result<Vec<Published>, StoreError> {
    let (mut after, mut left): (Option<String>, u32) = (None, offset);
    while left > 0 {
        let rows = service.store.published(HOLDER, after.as_deref(), left.min(PAGE_MAX)).await?;
        let Some(last) = rows.last() else { return Ok(Vec::new()) };
        after = Some(last.key.clone());
        left = left.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    }
    service.store.published(HOLDER, after.as_deref(), limit).await
}

pub(super) async fn show(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &PARTICIPANTS_READ).await?;
    let context = service.context(&mut service.store.begin(&scope), &scope).await?;
    Ok(reply(StatusCode::OK, &ParticipantResource::from(context.value())))
}

pub(super) async fn remove(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &PARTICIPANTS_WRITE).await?;
    let mut transaction = service.store.begin(&scope);
    let context = service.context(&mut transaction, &scope).await?;
    participant::delete(&mut transaction, &context).await?;
    service.end_tokens(&mut transaction).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn activate(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
    wanted: Unread<Query<Activation, Management>>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &PARTICIPANTS_WRITE).await?;
    let Query(wanted, ..) = wanted.read().await?;
    let mut transaction = service.store.begin(&scope);
    let context = service.context(&mut transaction, &scope).await?;
    participant::set_active(&mut transaction, &context, wanted.is_active).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn set(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
    body: Unread<Json<Settings, Management>>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &PARTICIPANTS_WRITE).await?;
    let Json(settings, ..) = body.read().await?;
    settings.check().map_err(|message| Rejection::invalid("", message))?;
    let mut transaction = service.store.begin(&scope);
    let context = service.context(&mut transaction, &scope).await?;
    let next = HolderContext { settings, modified_at: transaction.now(), ..context.value().clone() };
    transaction.save(&context, &next);
    transaction.publish(next.published());
    transaction.audit("holder.settings", context.id.as_str());
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
