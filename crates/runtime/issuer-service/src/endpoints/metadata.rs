//! `GET …/metadata`: what an issuer offers (DCP 1.0 §6.7), and `GET …/schemas/{definition}`. Open to everybody.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use heddle_dcp::wire::IssuerMetadata;
use heddle_ids::{CredentialDefinitionId, ParticipantContextId};
use heddle_web::{Kind, Management, Path, Refused, Rejection, reply};
use percent_encoding::utf8_percent_encode;

use super::SEGMENT;
use crate::{
    IssuerService,
    definition::{CREDENTIAL_SCHEMA, ISSUER_METADATA},
};

pub(super) async fn show(
    State(service): State<Arc<IssuerService>>,
    Path(context, ..): Path<ParticipantContextId, Management>,
) -> Result<Response, Refused<Management>> {
    let nobody = || Rejection::new(Kind::NotFound, "There is no such issuer here.");
    let issuer = service.addressed(&context).await?.ok_or_else(nobody)?;
    let supported = match service.parts.store.lookup(ISSUER_METADATA, context.as_str()).await? {
        Some(row) => row.value::<IssuerMetadata>()?.credentials_supported,
        None => Vec::new(),
    };
    Ok(reply(StatusCode::OK, &IssuerMetadata::new(issuer.did.as_str(), supported)))
}

/// The schema that a definition was given as text.
pub(super) async fn schema(
    State(service): State<Arc<IssuerService>>,
    Path((context, definition), ..): Path<(ParticipantContextId, CredentialDefinitionId), Management>,
) -> Result<Response, Refused<Management>> {
    let segment = |text| utf8_percent_encode(text, SEGMENT);
    let key = format!("{}/schemas/{}", segment(context.as_str()), segment(definition.as_str()));
    let row = service.parts.store.lookup(CREDENTIAL_SCHEMA, &key).await?;
    let row = row.ok_or_else(|| Rejection::new(Kind::NotFound, "There is no such schema here."))?;
    let media_type = HeaderValue::from_static("application/schema+json");
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, media_type)], row.value).into_response())
}
