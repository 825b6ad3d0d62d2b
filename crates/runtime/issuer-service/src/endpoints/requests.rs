//! `GET …/requests/{id}`: a holder asks how far its request is (DCP 1.0 §6.8).

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use heddle_dcp::wire::CredentialStatus;
use heddle_ids::{IssuerPid, ParticipantContextId};
use heddle_web::{Management, Path, Refused, reply};

use super::prove::{Bearer, stored, unauthorized};
use crate::{IssuerService, peer, process::IssuanceProcess};

/// Only the holder that has made the request is told; everybody else is answered as if there were none.
pub(super) async fn status(
    State(service): State<Arc<IssuerService>>,
    Bearer(bearer): Bearer,
    Path((context, id), ..): Path<(ParticipantContextId, IssuerPid), Management>,
) -> Result<Response, Refused<Management>> {
    let proven = service.prove(&bearer, &context).await?;
    let mut transaction = service.parts.store.begin(&proven.scope);
    let process = transaction.load::<IssuanceProcess>(id.as_str()).await?;
    peer::once(&mut transaction, &proven.token.replay_key());
    transaction.commit().await.map_err(stored)?;
    let process = process.ok_or_else(unauthorized)?.into_value();
    let status = CredentialStatus::new(process.id, process.holder_pid, process.state.status());
    Ok(reply(StatusCode::OK, &status))
}
