//! The end of a participant on this plane: `DELETE …/participants/{context}`.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::delete,
};
use heddle_ids::ParticipantContextId;
use heddle_web::{Kind, Path, Plain, Refused, Rejection};
use http::{HeaderMap, StatusCode};

use crate::{DataPlane, removal::Begun};

pub(super) fn routes() -> Router<Arc<DataPlane>> {
    Router::new().route("/", delete(remove))
}

/// 202 as long as something is left, also when it is repeated; then 404.
async fn remove(
    State(plane): State<Arc<DataPlane>>,
    Path(context, ..): Path<ParticipantContextId, Plain>,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let scope = plane.administrator(&headers, &context).await?;
    match plane.begin_removal(&scope).await? {
        Begun::UnderWay => Ok(StatusCode::ACCEPTED.into_response()),
        Begun::Nothing => Err(Rejection::new(Kind::NotFound, "Nothing is kept for this participant.").into()),
    }
}
