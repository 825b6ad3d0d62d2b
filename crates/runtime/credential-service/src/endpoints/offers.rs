//! `POST …/offers`: an issuer offers credentials (DCP 1.0 §6.6). They are kept for their owner; nothing follows
//! by itself, and sparse entries are not looked up.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use heddle_dcp::wire::{self, CredentialOfferMessage};
use heddle_ids::ParticipantContextId;
use heddle_store::{LIST_ROWS_MAX, Order, Query, StoreError, Transaction};
use heddle_tenancy::{Actor, ParticipantScope};
use heddle_web::{JsonBytes, Kind, Management, Path, Refused, Rejection};

use super::prove::{Bearer, malformed, stored};
use crate::{
    CredentialService,
    peer::{self, Sender},
    signing::{SigningError, active_context},
    wallet::{CredentialOffer, OFFERS_MAX, OFFERS_PER_ISSUER_MAX, superfluous},
};

/// Largest offer, in bytes: anybody with a DID may leave some, and they are stored as they are.
const OFFER_BYTES_MAX: usize = 64 * 1024;
/// How often an offer is stored anew when the participant context changes meanwhile.
const ATTEMPTS_MAX: u32 = 8;

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
    // Issuers do not see each other's offers, so it is the participant itself that counts and makes room.
    let own = service.scopes.participant(context, Actor::new("offers"));
    let offer = CredentialOffer::new(message, issuer.clone(), &service.environment);
    let mut attempts = 1;
    loop {
        match service.keep_offer(&own, &sender, &offer).await? {
            Err(StoreError::Stale { .. }) if attempts < ATTEMPTS_MAX => attempts += 1,
            kept => return Ok(kept.map(|()| StatusCode::OK).map_err(stored)?),
        }
    }
}

impl CredentialService {
    /// Stores an offer; the inner result is that of the commit.
    async fn keep_offer(
        &self,
        own: &ParticipantScope,
        sender: &Sender,
        offer: &CredentialOffer,
    ) -> Result<Result<(), StoreError>, Rejection> {
        let mut transaction = self.store.begin(own);
        let context = match active_context(&mut transaction).await {
            Ok(context) => context,
            Err(SigningError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(Rejection::new(Kind::NotFound, "There is no such participant here.")),
        };
        let of_issuer = Query { counter_party: Some(offer.issuer_did.to_string()), ..Query::default() };
        if transaction.count::<CredentialOffer>(&of_issuer).await? >= OFFERS_PER_ISSUER_MAX {
            let message = "Earlier offers of this issuer wait to be looked at.";
            return Err(Rejection::new(Kind::TooMany, message));
        }
        make_room(&mut transaction).await?;
        transaction.check(&context);
        transaction.insert(offer);
        peer::once(&mut transaction, &sender.token.replay_key());
        Ok(transaction.commit().await)
    }
}

/// When there are as many offers as are kept, those that are superfluous go in the commit that inserts the next one.
/// Of two at the same moment one is stale, because both want to delete the same.
async fn make_room(transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
    if transaction.count::<CredentialOffer>(&Query::default()).await? < OFFERS_MAX {
        return Ok(());
    }
    let all = Query { order: Order::CreatedAscending, limit: LIST_ROWS_MAX, ..Query::default() };
    let offers = transaction.list::<CredentialOffer>(&all).await?;
    let superfluous = superfluous(&offers);
    for offer in &superfluous {
        transaction.delete(offer);
    }
    let count = superfluous.len();
    transaction.when_committed(move || {
        tracing::info!(action = "evict", count, "the oldest offers of the most eager issuers have made room");
    });
    Ok(())
}
