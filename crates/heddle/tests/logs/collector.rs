//! A collector as an operator runs one: it takes OTLP over HTTP, and keeps what it got.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    metrics::v1::{Metric, metric::Data, number_data_point},
    resource::v1::Resource,
    trace::v1::{Span, status::StatusCode as Verdict},
};
use prost::Message;

/// What every message must carry.
pub const API_KEY: &str = "key-of-the-collector";

/// Attributes, as texts.
pub type Attributes = BTreeMap<String, String>;

/// One span that arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The service that sent it.
    pub side: String,
    pub trace_id: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    /// 1 internal, 2 server, 3 client, 5 consumer.
    pub kind: i32,
    pub failed: bool,
    pub attributes: Attributes,
    /// Names and attributes of what happened within it.
    pub events: Vec<Attributes>,
}

/// Everything that arrived.
#[derive(Debug, Clone, Default)]
pub struct Got {
    /// Spans, in the order of their arrival.
    pub spans: Vec<Seen>,
    /// The last value of each number: by service, name and labels.
    pub numbers: BTreeMap<(String, String, Attributes), f64>,
    /// Attributes of the services.
    pub services: BTreeMap<String, Attributes>,
}

/// A running collector.
pub struct Collector {
    /// Where it takes messages.
    pub endpoint: String,
    got: Arc<Mutex<Got>>,
}

impl Collector {
    /// On a free port.
    pub async fn start() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let endpoint = format!("http://{}", socket.local_addr().expect("it is bound"));
        let got = Arc::new(Mutex::new(Got::default()));
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(got.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self { endpoint, got }
    }

    /// What has arrived so far.
    pub fn got(&self) -> Got {
        self.got.lock().expect("unpoisoned").clone()
    }
}

fn refused(headers: &HeaderMap) -> Option<StatusCode> {
    let has = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    let good = has("api-key", API_KEY) && has("content-type", "application/x-protobuf");
    (!good).then_some(StatusCode::UNAUTHORIZED)
}

async fn traces(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Some(status) = refused(&headers) {
        return status;
    }
    let Ok(message) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut got = got.lock().expect("unpoisoned");
    for part in message.resource_spans {
        let side = got.known(part.resource);
        let spans = part.scope_spans.into_iter().flat_map(|scope| scope.spans);
        got.spans.extend(spans.map(|span| seen(&side, span)));
    }
    StatusCode::OK
}

async fn metrics(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Some(status) = refused(&headers) {
        return status;
    }
    let Ok(message) = ExportMetricsServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut got = got.lock().expect("unpoisoned");
    for part in message.resource_metrics {
        let side = got.known(part.resource);
        for metric in part.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            for (attributes, value) in values(&metric) {
                got.numbers.insert((side.clone(), metric.name.clone(), attributes), value);
            }
        }
    }
    StatusCode::OK
}

impl Got {
    /// The name of the service that sends.
    fn known(&mut self, resource: Option<Resource>) -> String {
        let attributes = texts(resource.unwrap_or_default().attributes);
        let name = attributes.get("service.name").cloned().unwrap_or_default();
        self.services.insert(name.clone(), attributes);
        name
    }
}

/// The value of each point; of a histogram how many values came.
fn values(metric: &Metric) -> Vec<(Attributes, f64)> {
    let (points, histograms) = match metric.data.clone() {
        Some(Data::Gauge(gauge)) => (gauge.data_points, Vec::new()),
        Some(Data::Sum(sum)) => (sum.data_points, Vec::new()),
        Some(Data::Histogram(histogram)) => (Vec::new(), histogram.data_points),
        _ => (Vec::new(), Vec::new()),
    };
    let points = points.into_iter().map(|point| {
        let value = match point.value {
            Some(number_data_point::Value::AsDouble(value)) => value,
            _ => 0.0,
        };
        (texts(point.attributes), value)
    });
    #[expect(clippy::cast_precision_loss, reason = "a test counts less")]
    let histograms = histograms.into_iter().map(|point| (texts(point.attributes), point.count as f64));
    points.chain(histograms).collect()
}

fn seen(side: &str, span: Span) -> Seen {
    let events = span.events.into_iter().map(|event| {
        let mut attributes = texts(event.attributes);
        attributes.insert("name".to_owned(), event.name);
        attributes
    });
    Seen {
        side: side.to_owned(),
        trace_id: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name,
        kind: span.kind,
        failed: span.status.is_some_and(|status| status.code == Verdict::Error as i32),
        attributes: texts(span.attributes),
        events: events.collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: Vec<KeyValue>) -> Attributes {
    attributes.into_iter().map(|attribute| (attribute.key, text(attribute.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}
