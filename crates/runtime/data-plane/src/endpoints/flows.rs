//! For the participant's own applications: their flows, where to fetch data and with which token, and the end.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use heddle_dps::flow::{Side, State as FlowState};
use heddle_ids::{DataFlowId, ParticipantContextId};
use heddle_store::{Order, Query};
use heddle_web::{Kind, Path, Plain, Refused, Rejection, reply};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::access::{FLOWS_READ, FLOWS_WRITE};
use crate::{
    DataPlane,
    flow::{By, FlowRecord, Signal},
};

type Plane = State<Arc<DataPlane>>;
type Outcome = Result<Response, Refused<Plain>>;
type OfFlow = Path<(ParticipantContextId, DataFlowId), Plain>;

/// Most flows that one list shows.
const LIST_MAX: u32 = 1000;

pub(super) fn routes() -> Router<Arc<DataPlane>> {
    Router::new()
        .route("/", get(list))
        .route("/{id}", get(show))
        .route("/{id}/edr", get(edr))
        .route("/{id}/complete", post(complete))
}

/// A flow, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlowResponse {
    id: String,
    state: FlowState,
    side: Side,
    dataset_id: String,
    agreement_id: String,
    counter_party_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<&FlowRecord> for FlowResponse {
    fn from(record: &FlowRecord) -> Self {
        let terms = record.flow.terms();
        Self {
            id: terms.id.to_string(),
            state: record.flow.state(),
            side: terms.side,
            dataset_id: terms.dataset_id.to_string(),
            agreement_id: terms.agreement_id.to_string(),
            counter_party_id: terms.counter_party.to_string(),
            reason: record.flow.reason().map(str::to_owned),
        }
    }
}

/// An endpoint data reference: where to fetch the data, and how to prove that one may.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EdrResponse {
    endpoint: String,
    auth_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<String>,
    /// Seconds that the authorization lasted when it was issued, if the provider said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
}

async fn list(
    State(plane): Plane,
    Path(context, ..): Path<ParticipantContextId, Plain>,
    headers: HeaderMap,
) -> Outcome {
    let scope = plane.application(&headers, &context, &FLOWS_READ).await?;
    let query = Query { order: Order::CreatedDescending, limit: LIST_MAX, ..Query::default() };
    let flows = plane.store.begin(&scope).list::<FlowRecord>(&query).await?;
    let flows: Vec<FlowResponse> = flows.iter().map(|flow| flow.value().into()).collect();
    Ok(reply(StatusCode::OK, &flows))
}

async fn show(State(plane): Plane, Path((context, id), ..): OfFlow, headers: HeaderMap) -> Outcome {
    let scope = plane.application(&headers, &context, &FLOWS_READ).await?;
    let record = plane.store.begin(&scope).load::<FlowRecord>(id.as_str()).await?.ok_or_else(unknown)?;
    Ok(reply(StatusCode::OK, &FlowResponse::from(record.value())))
}

async fn edr(State(plane): Plane, Path((context, id), ..): OfFlow, headers: HeaderMap) -> Outcome {
    let scope = plane.application(&headers, &context, &FLOWS_READ).await?;
    let record =
        plane.store.begin(&scope).load::<FlowRecord>(id.as_str()).await?.ok_or_else(unknown)?.into_value();
    let none = |why: &str| Rejection::new(Kind::Conflict, format!("There is nothing to fetch: {why}."));
    if record.flow.side() != Side::Consumer {
        return Err(none("this participant is the provider of the flow").into());
    }
    if !record.flow.admits_data() {
        return Err(none(&format!("the flow is {}", record.flow.state())).into());
    }
    let stub = record.flow.data_address().ok_or_else(|| none("the provider has sent no address"))?;
    let address = plane.unseal(&scope, record.flow.id(), stub).await.map_err(Rejection::from)?;
    let address = address.ok_or_else(|| none("the address is not kept any more"))?;
    let property = |name| address.property(name).map(str::to_owned);
    let response = EdrResponse {
        auth_type: property("authType").unwrap_or_else(|| "bearer".to_owned()),
        authorization: property("authorization"),
        expires_in: property("expiresIn").and_then(|text| text.parse().ok()),
        endpoint: address.endpoint.ok_or_else(|| none("the provider's address has no endpoint"))?,
    };
    let mut response = reply(StatusCode::OK, &response);
    response.headers_mut().insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The application has all it wants. A repeat is as good as the first time.
async fn complete(State(plane): Plane, Path((context, id), ..): OfFlow, headers: HeaderMap) -> Outcome {
    let scope = plane.application(&headers, &context, &FLOWS_WRITE).await?;
    let answered = plane.signal_flow(&scope, By::Application, &id, &Signal::OwnCompletion, None).await;
    answered.map_err(Rejection::from)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn unknown() -> Rejection {
    Rejection::new(Kind::NotFound, "There is no such flow.")
}
