//! Spans that an exporter may send somewhere, and what ties them to the trace of the work.
//!
//! A span's fields with a dot in their name (`http.route`, `db.system.name`, `otel.kind`) follow the semantic
//! conventions of OpenTelemetry and are for traces alone; log lines leave them out. Spans of the target [`ONLY`] are
//! for traces alone too: without an exporter their call sites are switched off, and cost nothing.

use std::sync::OnceLock;

use heddle_clock::Environment;
use tracing::{Metadata, Span};

use crate::{TraceContext, trace};

/// The target of spans that no log line needs.
pub const ONLY: &str = "heddle_spans";

/// Tells an exporter which step `span` continues (none: it begins a trace, or continues the span around it); gives the
/// step that the span is, or `None` when the exporter does not know it.
pub type Link = fn(span: &Span, parent: Option<TraceContext>) -> Option<TraceContext>;

static LINK: OnceLock<Link> = OnceLock::new();

/// From now on spans are exported, and steps have the ids that `link` gives. The first call counts.
pub fn export_by(link: Link) {
    LINK.get_or_init(|| link);
}

/// The step that `span` is, after `parent` or as the beginning of a trace. The span's field `trace_id`, if it has one,
/// is set.
pub fn step(span: &Span, parent: Option<TraceContext>, environment: &Environment) -> TraceContext {
    let exported = LINK.get().and_then(|link| link(span, parent));
    let step = exported.unwrap_or_else(|| match parent {
        Some(parent) => parent.child(environment),
        None => TraceContext::begin(environment),
    });
    span.record("trace_id", tracing::field::display(step.trace_id()));
    step
}

/// The step that `span` is, within the work under way: the span around it is its parent, or else the trace of the task.
pub fn step_within(span: &Span, environment: &Environment) -> TraceContext {
    let around = LINK.get().filter(|_| !Span::current().is_none());
    let exported = around.and_then(|link| link(span, None));
    exported.unwrap_or_else(|| step(span, trace::current(), environment))
}

/// A read of the database: one statement that looks for rows of `kind`.
#[must_use]
pub fn read(system: &'static str, operation: &'static str, kind: &'static str) -> Span {
    tracing::info_span!(
        target: ONLY,
        "db.read",
        otel.name = %format_args!("{operation} {kind}"),
        otel.kind = "client",
        db.system.name = system,
        db.operation.name = operation,
        db.collection.name = kind,
    )
}

/// A commit of `writes` writes.
#[must_use]
pub fn commit(system: &'static str, writes: usize) -> Span {
    tracing::info_span!(
        target: ONLY,
        "db.commit",
        otel.name = "COMMIT",
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        error.type = tracing::field::Empty,
        db.system.name = system,
        db.operation.name = "COMMIT",
        db.operation.batch.size = writes,
    )
}

/// A part of the work that deserves a name of its own in traces: `name` is a word of a protocol and a verb, such as
/// `dcp.verify`; `participant` is the participant context that it is done for. What came of it is told by [`outcome`].
#[must_use]
pub fn part(name: &str, participant: &str, counter_party: Option<&str>) -> Span {
    tracing::info_span!(
        target: ONLY,
        "part",
        otel.name = name,
        otel.kind = "internal",
        heddle.participant_context_id = participant,
        heddle.counter_party_id = counter_party,
        heddle.outcome = tracing::field::Empty,
    )
}

/// The evaluation of a policy in a scope such as `contract.negotiation`.
#[must_use]
pub fn policy(scope: &str) -> Span {
    tracing::info_span!(
        target: ONLY,
        "policy",
        otel.name = "policy.evaluate",
        otel.kind = "internal",
        heddle.policy.scope = scope,
        heddle.outcome = tracing::field::Empty,
    )
}

/// Says what came of a part of the work: `outcome` is a word, such as `permitted`.
pub fn outcome(span: &Span, outcome: &str) {
    span.record("heddle.outcome", outcome);
}

/// Whether a span is for traces alone.
pub(crate) fn is_only_for_traces(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == ONLY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_exporter_a_step_follows_its_parent() {
        let environment = Environment::system();
        let parent = TraceContext::begin(&environment);
        let child = step(&Span::none(), Some(parent), &environment);
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child, parent);
        assert_ne!(step(&Span::none(), None, &environment).trace_id(), parent.trace_id());
    }

    #[tokio::test]
    async fn a_step_within_work_belongs_to_its_trace() {
        let environment = Environment::system();
        let work = TraceContext::begin(&environment);
        let within = trace::within(work, async { step_within(&Span::none(), &environment) }).await;
        assert_eq!(within.trace_id(), work.trace_id());
    }
}
