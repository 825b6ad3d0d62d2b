//! `POST …/credentials`: a holder asks for credentials (DCP 1.0 §6.4).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::Response,
};
use heddle_dcp::{
    issuance::issuer::State as Stage,
    wire::{self, CredentialRequestMessage},
};
use heddle_ids::{IssuerPid, ParticipantContextId};
use heddle_store::{Aggregate, StoreError};
use heddle_web::{Idempotency, JsonBytes, Kind, Management, Path, Refused, Rejection, Reply};
use percent_encoding::utf8_percent_encode;

use super::{
    SEGMENT,
    prove::{Bearer, Proven, stored, unauthorized},
};
use crate::{
    IssuerService,
    delivery::DELIVER,
    peer,
    process::{Inadmissible, IssuanceProcess, admit},
    standing::NotHeld,
};

/// In this order: the bearer, the message, the issuer and the self-issued token, the holder, the definitions, the
/// attestations and rules. A request that is refused leaves a process that says why to the issuer, and its token is
/// used up like that of one that is accepted.
///
/// The `holderPid` alone does not make a request a repeated one: holders use one for several. Whoever repeats a request
/// whose answer was lost says so with an `Idempotency-Key`, and is given the first answer.
pub(super) async fn request(
    State(service): State<Arc<IssuerService>>,
    Bearer(bearer): Bearer,
    Path(context, ..): Path<ParticipantContextId, Management>,
    headers: HeaderMap,
    JsonBytes(body, ..): JsonBytes<Management>,
) -> Result<Response, Refused<Management>> {
    let message: CredentialRequestMessage = wire::parse(&body)
        .map_err(|error| Rejection::invalid(error.pointer, format!("expected {}", error.expected)))?;
    let idempotency = Idempotency::of(&headers, "POST", context.as_str(), &body)?;
    let proven = service.prove(&bearer, &context).await?;
    Ok(submit(&service, &context, &proven, (&message, &idempotency)).await?)
}

async fn submit(
    service: &IssuerService,
    context: &ParticipantContextId,
    Proven { token, scope }: &Proven,
    (message, idempotency): (&CredentialRequestMessage, &Idempotency),
) -> Result<Response, Rejection> {
    let (parts, sender) = (&service.parts, token.participant().as_str());
    let mut transaction = parts.store.begin(scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, sender).await? {
        peer::once(&mut transaction, &token.replay_key());
        transaction.commit().await.map_err(stored)?;
        return Ok(earlier);
    }
    let standing = service.standing(scope, scope.participant()).await.map_err(|error| match error {
        NotHeld::Leaving => unauthorized(),
        NotHeld::Store(error) => error.into(),
    })?;
    transaction.check(&standing);
    let exclusive = parts.settings.refuse_repeated_holder_pid;
    let admitted = admit(&mut transaction, token, message, (&parts.environment, exclusive)).await;
    peer::once(&mut transaction, &token.replay_key());
    let process = match admitted {
        Ok(process) => process,
        Err(Inadmissible::Store(error)) => return Err(error.into()),
        Err(refusal) => {
            transaction.commit().await.map_err(stored)?;
            return Err(inadmissible(&refusal));
        }
    };
    let received = IssuanceProcess { state: Stage::Submitted, reason: None, ..process.clone() };
    received.tell(&mut transaction, scope.participant());
    process.tell(&mut transaction, scope.participant());
    transaction.insert(&process);
    if process.state == Stage::Errored {
        // Not kept as the answer: once the attestation is there, the same request may be approved.
        transaction.commit().await.map_err(refused)?;
        let sentence = "The issuer has no attestation that these credentials would need.";
        return Err(Rejection::new(Kind::Forbidden, sentence));
    }
    transaction.enqueue(process.job(DELIVER));
    let reply = Reply::empty(StatusCode::CREATED)
        .with_header(&LOCATION, location(&parts.public_url, context, &process.id));
    idempotency.conclude((&parts.store, scope), transaction, sender, reply).await.map_err(refused)
}

fn refused(error: StoreError) -> Rejection {
    match error {
        StoreError::Duplicate { ref kind, .. } if kind == IssuanceProcess::KIND => {
            Rejection::new(Kind::Conflict, "There is a request with this holderPid already.")
        }
        error => stored(error),
    }
}

fn inadmissible(refusal: &Inadmissible) -> Rejection {
    match refusal {
        Inadmissible::UnknownDefinition { index, .. } => {
            Rejection::invalid(format!("/credentials/{index}/id"), "expected an id of the issuer's metadata")
        }
        Inadmissible::TooMany => Rejection::new(Kind::TooMany, format!("{refusal}.")),
        Inadmissible::UnknownHolder | Inadmissible::Store(_) => unauthorized(),
    }
}

/// Where the holder finds the status: absolute, for it is often shown where the base is not known.
fn location(public_url: &str, context: &ParticipantContextId, process: &IssuerPid) -> String {
    let context = utf8_percent_encode(context.as_str(), SEGMENT);
    format!("{public_url}/api/issuance/v1beta/participants/{context}/requests/{process}")
}
