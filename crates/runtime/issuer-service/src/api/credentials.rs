//! `…/credentials`: what was issued, and taking it back.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use heddle_credentials::ParsedCredential;
use heddle_ids::{CredentialDefinitionId, CredentialId, HolderId, IssuerPid, ParticipantContextId};
use heddle_web::{Json, Kind, Management, Path, Refused, Rejection, reply};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    guard::{Leave, ReadCredentials, WriteCredentials, not_found},
    query::{QuerySpec, select},
};
use crate::{
    IssuerService,
    credential::{IssuedCredential, State as Standing},
    issuer::SigningError,
    status_list::{self, RevocationError},
};

/// The id of a path that names other things too: as it is stored, or as the credential has it.
#[derive(Debug, Deserialize)]
pub(super) struct ById {
    id: CredentialId,
}

impl ById {
    fn stored(self) -> CredentialId {
        let bare = self.id.as_str().strip_prefix("urn:uuid:").map(str::to_owned);
        bare.and_then(|id| CredentialId::parse(id).ok()).unwrap_or(self.id)
    }
}

/// An issued credential as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialResource<'a> {
    id: &'a CredentialId,
    participant_context_id: &'a ParticipantContextId,
    holder_id: &'a HolderId,
    issuance_process_id: &'a IssuerPid,
    credential_definition_id: &'a CredentialDefinitionId,
    credential_id: String,
    credential_type: &'a str,
    format: &'static str,
    state: &'static str,
    issued_at: i64,
    valid_until: i64,
    credential: Map<String, Value>,
}

fn resource(context: &ParticipantContextId, issued: &IssuedCredential) -> Value {
    let parsed = ParsedCredential::parse(&issued.token).ok();
    let shown = CredentialResource {
        id: &issued.id,
        participant_context_id: context,
        holder_id: &issued.holder_id,
        issuance_process_id: &issued.process,
        credential_definition_id: &issued.definition,
        credential_id: issued.uri(),
        credential_type: &issued.credential_type,
        format: issued.format.enumeration_name(),
        state: issued.state.name(),
        issued_at: issued.issued_at.as_millis(),
        valid_until: issued.valid_until.as_millis(),
        credential: parsed.map(|parsed| parsed.credential().raw.clone()).unwrap_or_default(),
    };
    serde_json::to_value(shown).expect("a credential serialises")
}

/// The status of a credential as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusResource<'a> {
    credential_id: &'a CredentialId,
    status: Option<&'static str>,
    reason: Option<&'static str>,
}

pub(super) async fn query(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadCredentials>,
    Json(spec, ..): Json<QuerySpec, Management>,
) -> Result<Response, Refused<Management>> {
    let mut transaction = service.parts.store.begin(&leave.scope);
    let context = leave.scope.participant();
    let found = select::<IssuedCredential, _>(&mut transaction, &spec, |one| resource(context, one)).await?;
    Ok(reply(StatusCode::OK, &found))
}

pub(super) async fn revoke(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<WriteCredentials>,
    Path(by_id, ..): Path<ById, Management>,
) -> Result<Response, Refused<Management>> {
    let revoked = status_list::revoke(&service, &leave.scope, &by_id.stored()).await;
    revoked.map_err(|error| match error {
        RevocationError::Unknown(id) => not_found("issued credential", id.as_str()),
        RevocationError::Signing(error @ SigningError::NoKey) => {
            Rejection::new(Kind::Unprocessable, format!("The status list cannot be signed: {error}."))
        }
        RevocationError::Signing(error) => Rejection::internal(&error),
        RevocationError::Store(error) => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn status(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<ReadCredentials>,
    Path(by_id, ..): Path<ById, Management>,
) -> Result<Response, Refused<Management>> {
    let id = by_id.stored();
    let issued = service.parts.store.begin(&leave.scope).load::<IssuedCredential>(id.as_str()).await?;
    let issued = issued.ok_or_else(|| not_found("issued credential", id.as_str()))?;
    let status = (issued.state == Standing::Revoked).then_some("revocation");
    Ok(reply(StatusCode::OK, &StatusResource { credential_id: &issued.id, status, reason: None }))
}
