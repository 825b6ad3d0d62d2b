//! `POST …/offers`: an issuer offers credentials (DCP 1.0 §6.6). They are kept for their owner; nothing follows
//! by itself, and sparse entries are not looked up.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use heddle_dcp::wire::{self, CredentialOfferMessage};
use heddle_ids::ParticipantContextId;
use heddle_store::Query;
use heddle_web::{JsonBytes, Kind, Management, Path, Refused, Rejection};

use super::prove::{Bearer, malformed, stored};
use crate::{
    CredentialService, peer,
    wallet::{CredentialOffer, OFFERS_PER_ISSUER_MAX},
};

/// Largest offer, in bytes: anybody with a DID may leave some, and they are stored as they are.
const OFFER_BYTES_MAX: usize = 64 * 1024;

pub(super) async fn offer(
    State(service): State<Arc<CredentialService>>,
    Bearer(bearer): Bearer,
    Path(context, ..): Path<ParticipantContextId, Management>,
    JsonBytes(body, ..): JsonBytes<Management>,
) -> Result<StatusCode, Refused<Management>> {
    if body.len() > OFFER_BYTES_MAX {
        let what = format!("An offer has at most {OFFER_BYTES_MAX} bytes.");
        return Err(Rejection::new(Kind::TooLarge, what).into());
    }
    let message: CredentialOfferMessage = wire::parse(&body).map_err(malformed)?;
    let addressed = service.addressed(&context).await?;
    let sender = service.prove(&bearer, &addressed).await?;
    let issuer = sender.token.participant();
    if message.issuer != issuer.as_str() {
        return Err(
            Rejection::new(Kind::Forbidden, "An offer must be made by the issuer that it names.").into()
        );
    }
    let id = peer::participant_id(issuer).map_err(|error| Rejection::internal(&error))?;
    let scope = service.scopes.delivery_peer(&addressed.recipient, id);
    let mut transaction = service.store.begin(&scope);
    let own = Query { counter_party: Some(issuer.to_string()), ..Query::default() };
    if transaction.count::<CredentialOffer>(&own).await? >= OFFERS_PER_ISSUER_MAX {
        return Err(
            Rejection::new(Kind::TooMany, "Earlier offers of this issuer wait to be looked at.").into()
        );
    }
    transaction.insert(&CredentialOffer::new(message, issuer.clone(), &service.environment));
    peer::once(&mut transaction, &sender.token.replay_key());
    transaction.commit().await.map_err(stored)?;
    Ok(StatusCode::OK)
}
