//! `…/participants/{context}/catalog`: what a counter-party offers to us, asked of it and passed on as it answers.

mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use heddle_auth::SelfIssuedError;
use heddle_dsp::wire::{CatalogRequestMessage, Context, Is, dataset_path};
use heddle_outbound::{Authorization, OutboundError, Request};
use heddle_web::{Kind, Rejection};
use http::{HeaderValue, StatusCode, header};
use serde_json::value::RawValue;

use super::{
    answer::{Outcome, conflict},
    counter_party::{addressed, check_address, profile_of},
    document::Document,
    guard::{CatalogRead, Own},
    present,
    query::{QuerySpec, check_criteria},
};
use crate::ControlPlane;
use wire::{CatalogDocument, DatasetDocument, Filter, Wanted};

/// Largest catalog that is passed on, in bytes.
const CATALOG_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most scopes that a request may ask for beside those of its profile.
const SCOPES_MAX: usize = 50;

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/catalog/request", post(catalog))
        .route("/participants/{context}/catalog/dataset/request", post(dataset))
}

impl<I> Wanted<I> {
    /// The counter-party's address without a slash at its end, and our proof for it.
    async fn prepare(
        &self,
        plane: &ControlPlane,
        own: &Own<CatalogRead>,
    ) -> Result<(&str, Authorization), Rejection> {
        check_address(&self.counter_party_address)?;
        let profile = profile_of(self.profile.as_ref(), self.protocol.as_ref())?;
        if self.additional_scopes.len() > SCOPES_MAX {
            let message = format!("at most {SCOPES_MAX} additional scopes are asked for");
            return Err(Rejection::invalid("/additionalScopes", message));
        }
        present::participant(&mut plane.store.begin(&own.scope), &own.scope).await?;
        let addressed = addressed(plane, &own.scope, &profile).await?;
        let authorization = plane
            .identity
            .authorization_with(
                &own.scope,
                &addressed.profile,
                &self.counter_party_id,
                (&[], &self.additional_scopes),
            )
            .await
            .map_err(|error| unproven(&error))?;
        Ok((self.counter_party_address.trim_end_matches('/'), authorization))
    }
}

async fn catalog(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<CatalogRead>,
    Document(wanted): Document<CatalogDocument>,
) -> Outcome {
    let spec = wanted.query_spec.as_ref();
    if let Some(spec) = spec {
        check_criteria("/querySpec/filterExpression", &spec.filter_expression)?;
    }
    let filter = spec.filter(|spec| **spec != QuerySpec::default()).map(|spec| {
        serde_json::to_value(Filter::from(spec)).expect("numbers, texts and JSON values serialise")
    });
    let (address, authorization) = wanted.prepare(&plane, &own).await?;
    let message = CatalogRequestMessage {
        context: Context,
        kind: Is::new(),
        id: Some(plane.message_id()),
        filter: filter.into_iter().collect(),
    };
    let request = Request::post(format!("{address}/catalog/request")).json_of(&message);
    pass_on(&plane, request.authorization(authorization)).await
}

async fn dataset(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<CatalogRead>,
    Document(wanted): Document<DatasetDocument>,
) -> Outcome {
    let missing = || Rejection::invalid("/@id", "a dataset request names the dataset by '@id'");
    let path = dataset_path(wanted.id.as_ref().ok_or_else(missing)?);
    let (address, authorization) = wanted.prepare(&plane, &own).await?;
    pass_on(&plane, Request::get(format!("{address}{path}")).authorization(authorization)).await
}

/// Sends the request and gives the counter-party's answer, if it is JSON.
async fn pass_on(plane: &ControlPlane, request: Request) -> Outcome {
    let answer =
        plane.outbound.send(request.body_bytes_max(CATALOG_BYTES_MAX)).await.map_err(|e| unanswered(&e))?;
    let json: Result<&RawValue, _> = serde_json::from_slice(answer.body());
    if json.is_err() {
        return Err(Rejection::new(
            Kind::BadGateway,
            "The counter-party answered with something else than JSON.",
        )
        .into());
    }
    let media_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok(passed(
        answer.headers().get(header::LINK),
        (StatusCode::OK, media_type, answer.body().clone()).into_response(),
    ))
}

/// Links to other pages are the counter-party's own; they go along.
fn passed(link: Option<&HeaderValue>, mut response: Response) -> Response {
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link.clone());
    }
    response
}

fn unanswered(error: &OutboundError) -> Rejection {
    match error {
        OutboundError::Refused { .. } => Rejection::invalid("/counterPartyAddress", error.to_string()),
        _ => Rejection::new(Kind::BadGateway, error.to_string()),
    }
}

fn unproven(error: &SelfIssuedError) -> Rejection {
    if error.is_retryable() {
        return Rejection::unavailable(error.to_string(), std::time::Duration::from_secs(1));
    }
    conflict(error.to_string())
}
