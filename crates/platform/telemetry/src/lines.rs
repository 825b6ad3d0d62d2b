//! Writes log lines as flat JSON objects: the fields of a line beside those of the spans around it.
//!
//! The innermost value of a field wins: a line may say more precisely than its request what it is about. Where
//! nothing says so, the component is the crate, the action the module, the category `application`, and the trace
//! that of the running work, or else of the process itself. So every line has these four.

use std::fmt;

use heddle_clock::Environment;
use serde_json::{Map, Value};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use crate::{TraceContext, logs::category, trace};

/// What a crate of this code base is called before its own name.
const OWN_CRATES: &str = "heddle_";

/// Writes each event as one line of JSON; `open` gives the place that it goes to.
pub(crate) struct JsonLines<W> {
    environment: Environment,
    /// Of lines that belong to no work.
    process: TraceContext,
    open: W,
}

/// The fields of a span, kept with it.
struct Fields(Map<String, Value>);

impl<W> JsonLines<W> {
    pub(crate) fn new(environment: Environment, open: W) -> Self {
        Self { process: TraceContext::begin(&environment), environment, open }
    }

    fn line<S>(&self, event: &Event<'_>, context: &Context<'_, S>) -> Map<String, Value>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let metadata = event.metadata();
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), self.environment.now().to_string().into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            add_fields(&mut line, &span);
        }
        event.record(&mut Collector(&mut line));
        self.complete(&mut line, metadata);
        line
    }

    /// What every line has.
    fn complete(&self, line: &mut Map<String, Value>, metadata: &Metadata<'_>) {
        let (krate, path) = metadata.target().split_once("::").unwrap_or((metadata.target(), ""));
        let mut default = |name: &str, value: &dyn Fn() -> String| {
            if !line.contains_key(name) {
                line.insert(name.to_owned(), Value::String(value()));
            }
        };
        default("trace_id", &|| trace::current().unwrap_or(self.process).trace_id());
        default("component", &|| krate.strip_prefix(OWN_CRATES).unwrap_or(krate).replace('_', "-"));
        default("action", &|| {
            path.rsplit("::").next().filter(|name| !name.is_empty()).unwrap_or("run").into()
        });
        default("category", &|| category::APPLICATION.to_owned());
        default("target", &|| metadata.target().to_owned());
    }
}

fn add_fields<'a, S: LookupSpan<'a>>(line: &mut Map<String, Value>, span: &SpanRef<'a, S>) {
    if let Some(Fields(fields)) = span.extensions().get::<Fields>() {
        line.extend(fields.clone());
    }
}

impl<S, W, O> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn() -> O + 'static,
    O: std::io::Write,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Collector(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Fields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(Fields(fields)) = span.extensions_mut().get_mut::<Fields>() {
            values.record(&mut Collector(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Ok(mut text) = serde_json::to_vec(&self.line(event, &context)) else { return };
        text.push(b'\n');
        // There is nowhere to say that nothing can be said.
        drop((self.open)().write_all(&text));
    }
}

/// Whether a field is for traces alone: those of OpenTelemetry's conventions have names with dots.
pub(crate) fn is_for_traces(name: &str) -> bool {
    name.contains('.')
}

/// Puts fields into a JSON object.
struct Collector<'a>(&'a mut Map<String, Value>);

impl Collector<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        if is_for_traces(field.name()) {
            return;
        }
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Collector<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use heddle_clock::Environment;
    use tracing_subscriber::{filter::filter_fn, layer::SubscriberExt};

    use super::*;
    use crate::logs::is_safe;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(work: impl FnOnce()) -> Vec<Value> {
        let written = Written::default();
        let open = written.clone();
        let layer = JsonLines::new(Environment::system(), move || open.clone());
        let registry = tracing_subscriber::registry().with(filter_fn(is_safe)).with(layer);
        tracing::subscriber::with_default(registry, work);
        let bytes = written.0.lock().expect("unpoisoned").clone();
        let text = String::from_utf8(bytes).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
    }

    #[test]
    fn a_line_has_the_fields_of_its_spans_and_its_own_win() {
        let lines = lines(|| {
            let outer = tracing::info_span!(
                "request",
                trace_id = "t",
                component = "outer",
                action = "ask",
                tenant_id = tracing::field::Empty,
                otel.kind = "server",
            );
            outer.record("tenant_id", "acme");
            let _outer = outer.enter();
            let _inner = tracing::info_span!("step", component = "inner").entered();
            tracing::info!(action = "do", count = 3_u64, "a \"thing\"\nwas done");
        });
        let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
        for (name, value) in [
            ("trace_id", "t"),
            ("component", "inner"),
            ("action", "do"),
            ("category", "application"),
            ("tenant_id", "acme"),
            ("message", "a \"thing\"\nwas done"),
            ("level", "INFO"),
        ] {
            assert_eq!(line[name], value, "{line}");
        }
        assert_eq!(line["count"], 3);
        assert!(line.get("otel.kind").is_none(), "it is for traces: {line}");
    }

    #[test]
    fn a_line_outside_of_any_work_has_the_required_fields_too() {
        let lines = lines(|| {
            tracing::info!("the first");
            tracing::info!(category = category::AUDIT, "the second");
        });
        let [first, second] = lines.as_slice() else { panic!("two lines: {lines:?}") };
        assert_eq!(first["trace_id"].as_str().map(str::len), Some(32));
        assert_eq!(first["trace_id"], second["trace_id"], "the trace of the process");
        assert_eq!(
            (first["component"].as_str(), first["action"].as_str()),
            (Some("telemetry"), Some("tests"))
        );
        assert_eq!(second["category"], "audit");
    }

    #[test]
    fn libraries_are_never_more_talkative_than_info() {
        let lines = lines(|| {
            tracing::debug!(target: "hyper::proto", "authorization: Bearer abc");
            tracing::trace!(target: "h2::codec", "frame");
            tracing::info!(target: "hyper::server", "a word");
            tracing::trace!(target: "heddle_dsp::wire", "a detail");
        });
        let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
        assert_eq!(messages, ["a word", "a detail"]);
    }
}
