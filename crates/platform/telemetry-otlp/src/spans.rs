//! Spans: from the crate `tracing` to OpenTelemetry, through a bounded queue, to the collector.

use std::{fmt, sync::Arc};

use heddle_telemetry::{TraceContext, logs::Listener, spans};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider},
};
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{
        common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter},
};
use prost::Message;
use tokio::runtime::Handle;
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::filter_fn};

use crate::{Settings, Target, collector::Collector};

/// Spans that may wait for the collector; further ones are lost. About 16 MiB at most.
const QUEUE_SPANS_MAX: usize = 16 * 1024;
/// Where the line of an answered request comes from.
const ANSWERED: &str = "heddle_web::surface";
/// Spans of one message.
const MESSAGE_SPANS_MAX: usize = 1024;

/// The end of spans.
struct Exporter {
    collector: Arc<Collector>,
    target: Target,
    resource: ResourceAttributesWithSchema,
    runtime: Handle,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("target", &self.target).finish_non_exhaustive()
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let message = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let (collector, target) = (self.collector.clone(), self.target.clone());
        // The queue has a thread of its own, without a runtime.
        let sent = self.runtime.spawn(async move { collector.send("traces", &target, message).await });
        match sent.await {
            Ok(true) => Ok(()),
            _ => Err(OTelSdkError::InternalFailure("the collector did not take it".to_owned())),
        }
    }
}

/// The queue, its thread, and what decides which traces are recorded.
pub(crate) fn provider(
    settings: &Settings,
    target: &Target,
    collector: &Arc<Collector>,
    resource: &Resource,
) -> SdkTracerProvider {
    let exporter = Exporter {
        collector: collector.clone(),
        target: target.clone(),
        resource: resource.into(),
        runtime: Handle::current(),
    };
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_SPANS_MAX)
        .with_max_export_batch_size(MESSAGE_SPANS_MAX)
        .build();
    let queue = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    let ratio = settings.sampling_ratio.unwrap_or(1.0);
    SdkTracerProvider::builder()
        .with_span_processor(queue)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
        .with_resource(resource.clone())
        .build()
}

/// Hears of this code base's own spans, and of the lines of the log within them; never of what libraries say at levels
/// where they tell everything.
pub(crate) fn listener(provider: &SdkTracerProvider) -> Listener {
    spans::export_by(link);
    let own = filter_fn(|metadata| {
        *metadata.level() <= Level::INFO
            && metadata.target().starts_with("heddle")
            // The line of an answer says what its span says.
            && !(metadata.is_event() && metadata.target() == ANSWERED)
    });
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("heddle"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(own)
        .boxed()
}

/// Tells OpenTelemetry where a span belongs, and asks which ids it has got.
fn link(span: &Span, parent: Option<TraceContext>) -> Option<TraceContext> {
    if let Some(parent) = parent {
        span.set_parent(remote(parent)).ok()?;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    let ids = (context.trace_id().to_bytes(), context.span_id().to_bytes());
    TraceContext::from_ids(ids.0, ids.1, context.is_sampled())
}

fn remote(parent: TraceContext) -> Context {
    let (trace_id, span_id, sampled) = parent.ids();
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from_bytes(trace_id),
        SpanId::from_bytes(span_id),
        if sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED },
        true,
        TraceState::default(),
    ))
}
