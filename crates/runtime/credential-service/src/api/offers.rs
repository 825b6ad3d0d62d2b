//! `…/credentials/offers`: what issuers offer.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use heddle_ids::ParticipantContextId;
use heddle_store::{Order, Query as Everything};
use heddle_web::{Management, Path, Refused, reply};

use super::{
    guard::{CREDENTIALS_READ, CREDENTIALS_WRITE, Caller, not_found},
    resource::OfferResource,
};
use crate::{CredentialService, wallet::CredentialOffer};

/// Most offers that one list shows, the newest first.
const OFFERS_SHOWN_MAX: u32 = 100;

pub(super) async fn list(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &CREDENTIALS_READ).await?;
    let newest =
        Everything { order: Order::CreatedDescending, limit: OFFERS_SHOWN_MAX, ..Everything::default() };
    let offers = service.store.begin(&scope).list::<CredentialOffer>(&newest).await?;
    let shown: Vec<_> = offers.iter().map(|offer| OfferResource::from(offer.value())).collect();
    Ok(reply(StatusCode::OK, &shown))
}

pub(super) async fn remove(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path((named, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &CREDENTIALS_WRITE).await?;
    let mut transaction = service.store.begin(&scope);
    let offer = transaction.load::<CredentialOffer>(&id).await?;
    transaction.delete(&offer.ok_or_else(|| not_found("credential offer", &id))?);
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
