//! Log lines: one JSON object each (or readable text for a person at a terminal), on standard error.
//!
//! Every line has `trace_id`, `component`, `action` and `category`, through its span or by itself, and where they
//! apply `tenant_id`, `participant_context_id`, `counter_party_id`, `contract_id`. The field `category` sorts lines
//! for their readers; its values are the constants of [`category`].

use std::fmt;

use heddle_clock::Environment;
use tracing::{Level, Metadata, field::Field};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    field::MakeExt,
    filter::{FilterExt, filter_fn},
    fmt::{
        FormatFields,
        format::{Writer, debug_fn},
    },
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    lines::{self, JsonLines},
    spans::is_only_for_traces,
};

/// Values of the field `category`.
pub mod category {
    /// Ordinary progress and trouble of the application.
    pub const APPLICATION: &str = "application";
    /// Who did what, and who was refused.
    pub const AUDIT: &str = "audit";
    /// A message of the Dataspace Protocol or of Data Plane Signaling, sent or received.
    pub const MESSAGE: &str = "message";
    /// A step of the Decentralized Claims Protocol.
    pub const CLAIMS: &str = "claims";
}

/// Whether a line cannot hold what its writer has not considered.
pub(crate) fn is_safe(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || metadata.target().starts_with("heddle")
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Json,
    /// Text for a person.
    Text,
}

/// Something beside the log that hears of spans and events: an exporter of traces.
pub type Listener = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging for this process. `filter` is a directive of `tracing_subscriber::EnvFilter`, such as
/// `info` or `info,heddle_dsp=debug`; a malformed one falls back to `info`. A second call does nothing.
///
/// Whatever the filter says, libraries tell nothing below `info`: they do not know which headers and bodies are
/// secret, and at `debug` and `trace` some of them write down whole messages.
pub fn start(format: Format, filter: &str) {
    start_with(format, filter, None);
}

/// As [`start`], with a listener beside the log. The filter is the log's alone.
pub fn start_with(format: Format, filter: &str, listener: Option<Listener>) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let safe = filter_fn(|metadata| is_safe(metadata) && !is_only_for_traces(metadata));
    let filter = filter.and(safe);
    let lines: Listener = match format {
        Format::Json => {
            let lines = JsonLines::new(Environment::system(), || std::io::stderr().lock());
            lines.with_filter(filter).boxed()
        }
        Format::Text => {
            let layer = tracing_subscriber::fmt::layer().compact().with_writer(std::io::stderr);
            layer.fmt_fields(readable_fields()).with_filter(filter).boxed()
        }
    };
    let layers: Vec<Listener> = listener.into_iter().chain([lines]).collect();
    // Only a test harness starts twice; the first subscriber stays.
    drop(tracing_subscriber::registry().with(layers).try_init());
}

/// As a person reads them: without what is for traces alone.
fn readable_fields() -> impl for<'w> FormatFields<'w> + 'static {
    let write = |writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug| match field.name() {
        "message" => write!(writer, "{value:?}"),
        name if lines::is_for_traces(name) => Ok(()),
        name => write!(writer, "{name}={value:?}"),
    };
    debug_fn(write).delimited(" ")
}
