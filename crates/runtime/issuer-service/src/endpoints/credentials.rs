//! `POST …/credentials`: a holder asks for credentials (DCP 1.0 §6.4).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderName, StatusCode, header::LOCATION},
};
use heddle_dcp::{
    issuance::issuer::State as Stage,
    wire::{self, CredentialRequestMessage},
};
use heddle_ids::{IssuerPid, ParticipantContextId};
use heddle_store::{Aggregate, StoreError};
use heddle_web::{JsonBytes, Kind, Management, Path, Refused, Rejection};
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
};

/// In this order: the bearer, the message, the issuer and the self-issued token, the holder, the definitions, the
/// attestations and rules. A request that is refused leaves a process that says why to the issuer, and its token is
/// used up like that of one that is accepted.
pub(super) async fn request(
    State(service): State<Arc<IssuerService>>,
    Bearer(bearer): Bearer,
    Path(context, ..): Path<ParticipantContextId, Management>,
    JsonBytes(body, ..): JsonBytes<Management>,
) -> Result<(StatusCode, [(HeaderName, String); 1]), Refused<Management>> {
    let message: CredentialRequestMessage = wire::parse(&body)
        .map_err(|error| Rejection::invalid(error.pointer, format!("expected {}", error.expected)))?;
    let proven = service.prove(&bearer, &context).await?;
    let process = submit(&service, &proven, &message).await?;
    if process.state == Stage::Errored {
        let sentence = "The issuer has no attestation that these credentials would need.";
        return Err(Rejection::new(Kind::Forbidden, sentence).into());
    }
    Ok((StatusCode::CREATED, [(LOCATION, location(&service.parts.public_url, &context, &process.id))]))
}

async fn submit(
    service: &IssuerService,
    Proven { token, scope }: &Proven,
    message: &CredentialRequestMessage,
) -> Result<IssuanceProcess, Rejection> {
    let parts = &service.parts;
    let mut transaction = parts.store.begin(scope);
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
    if process.state == Stage::Approved {
        transaction.enqueue(process.job(DELIVER));
    }
    transaction.commit().await.map_err(|error| match error {
        StoreError::Duplicate { ref kind, .. } if kind == IssuanceProcess::KIND => {
            Rejection::new(Kind::Conflict, "There is a request with this holderPid already.")
        }
        error => stored(error),
    })?;
    tracing::info!(component = "issuer-service", action = "request", holder = %process.holder_did,
        process = %process.id, state = process.state.name(), reason = process.reason, "a request was decided");
    Ok(process)
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
