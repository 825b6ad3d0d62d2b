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
use heddle_outbound::{Authorization, OutboundError, Request, Response as Answered};
use heddle_telemetry::spans;
use heddle_web::{Kind, Rejection};
use http::{HeaderValue, StatusCode, header};
use serde_json::value::RawValue;
use tracing::Instrument;

use super::{
    answer::{Outcome, conflict, not_found},
    counter_party::{addressed, check_address, profile_of},
    document::Document,
    guard::{CatalogRead, Own},
    present,
    query::{QuerySpec, conditions},
};
use crate::{
    ControlPlane,
    model::Asset,
    telling::{self, About},
};
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
        conditions("/querySpec/filterExpression", &spec.filter_expression, &|written| {
            Ok(Asset::path(written))
        })?;
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
    let peer = wanted.counter_party_id.as_str();
    let span = spans::part("dsp.send", own.scope.participant().as_str(), Some(peer));
    let answer = send(&plane, request.authorization(authorization)).instrument(span).await;
    let answer = answer.map_err(|error| unanswered(&error))?;
    telling::sent(&About::peer(&wanted.counter_party_id), "CatalogRequestMessage");
    pass_on(&answer)
}

async fn dataset(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<CatalogRead>,
    Document(wanted): Document<DatasetDocument>,
) -> Outcome {
    let missing = || Rejection::invalid("/@id", "a dataset request names the dataset by '@id'");
    let id = wanted.id.as_ref().ok_or_else(missing)?;
    let (address, authorization) = wanted.prepare(&plane, &own).await?;
    let request = Request::get(format!("{address}{}", dataset_path(id))).authorization(authorization);
    let answer = send(&plane, request).await.map_err(|error| match error {
        error if says_that_there_is_none(&error) => not_found("Dataset", id.as_str()),
        error => unanswered(&error),
    })?;
    telling::sent(&About::peer(&wanted.counter_party_id), "dataset request");
    pass_on(&answer)
}

/// A counter-party that answers with 404 and the protocol's own error object has not failed: there is no such dataset,
/// or not for us. Anybody else's 404 may be a wrong address.
fn says_that_there_is_none(error: &OutboundError) -> bool {
    matches!(error, OutboundError::Status { status, body_excerpt, .. }
        if *status == StatusCode::NOT_FOUND && body_excerpt.contains("CatalogError"))
}

async fn send(plane: &ControlPlane, request: Request) -> Result<Answered, OutboundError> {
    plane.outbound.send(request.body_bytes_max(CATALOG_BYTES_MAX)).await
}

/// Gives the counter-party's answer, if it is JSON.
fn pass_on(answer: &Answered) -> Outcome {
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
