//! Log lines: one JSON object each (or readable text for a person at a terminal), on standard error.
//!
//! Every line has `trace_id`, `component`, `action` and `category`, through its span or by itself, and where they
//! apply `tenant_id`, `participant_context_id`, `counter_party_id`, `contract_id`. The field `category` sorts lines
//! for their readers; its values are the constants of [`category`].

use heddle_clock::Environment;
use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt};

use crate::lines::JsonLines;

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

/// Starts logging for this process. `filter` is a directive of `tracing_subscriber::EnvFilter`, such as
/// `info` or `info,heddle_dsp=debug`; a malformed one falls back to `info`. A second call does nothing.
///
/// Whatever the filter says, libraries tell nothing below `info`: they do not know which headers and bodies are
/// secret, and at `debug` and `trace` some of them write down whole messages.
pub fn start(format: Format, filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(is_safe));
    let started = match format {
        Format::Json => {
            let lines = JsonLines::new(Environment::system(), || std::io::stderr().lock());
            registry.with(lines).try_init()
        }
        Format::Text => {
            registry.with(tracing_subscriber::fmt::layer().compact().with_writer(std::io::stderr)).try_init()
        }
    };
    // Only a test harness starts twice; the first subscriber stays.
    drop(started);
}
