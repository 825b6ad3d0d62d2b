//! The end of an issuer: `DELETE …/participants/{context}`.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use heddle_web::{Management, Refused};

use super::guard::{Leave, RemoveIssuer, not_found};
use crate::{IssuerService, removal::Begun};

/// 202 as long as something is left, also when it is repeated; then 404.
pub(super) async fn remove(
    State(service): State<Arc<IssuerService>>,
    leave: Leave<RemoveIssuer>,
) -> Result<StatusCode, Refused<Management>> {
    match service.begin_removal(&leave.scope).await? {
        Begun::UnderWay => Ok(StatusCode::ACCEPTED),
        Begun::Nothing => Err(not_found("issuer", leave.scope.participant().as_str()).into()),
    }
}
