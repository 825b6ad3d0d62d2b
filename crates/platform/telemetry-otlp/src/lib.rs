//! Sends traces and metrics to an OpenTelemetry collector: OTLP over HTTP, as protobuf.
//!
//! * **Spans** of this code base become spans of OpenTelemetry ([`Exporter::listener`]). The ids of steps in log lines,
//!   in `traceparent` headers, in jobs and in events are those of the spans.
//! * **Metrics** are what `/metrics` shows, read at an interval: one source of numbers, and nothing to pay where it is
//!   counted.
//! * **Nobody waits.** Spans lie in a bounded queue; what does not fit, and what the collector does not take, is lost.
//!   A collector that is away costs one line of the log now and then.
//!
//! Requests go through [`heddle_outbound`], by a client of their own: an operator names the collector, so it may have a
//! private address, and nothing else may. Deliberately absent: gRPC, logs over OTLP (log lines go to standard error,
//! where every collector finds them).

mod collector;
mod numbers;
mod settings;
mod spans;

use std::{sync::Arc, time::Duration};

use heddle_clock::Environment;
use heddle_telemetry::logs::Listener;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::{sync::watch, task::JoinHandle};

pub use settings::{InvalidSettings, Settings, Target};

use collector::Collector;

/// How long the last messages may take at the end.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);

/// Gives the numbers, in the text format of Prometheus.
pub type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// Sends what this process tells, until it is stopped.
pub struct Exporter {
    settings: Settings,
    collector: Arc<Collector>,
    resource: Resource,
    environment: Environment,
    spans: Option<SdkTracerProvider>,
    numbers: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

impl Exporter {
    /// Prepares to send; `version` is that of this process. Needs a Tokio runtime around it.
    ///
    /// # Errors
    /// [`InvalidSettings`] when a file cannot be read or an address is none.
    pub fn new(
        settings: Settings,
        version: &'static str,
        environment: &Environment,
    ) -> Result<Self, InvalidSettings> {
        let collector = Arc::new(Collector::new(&settings, environment)?);
        let resource = settings.resource(version, environment);
        let spans =
            settings.traces.as_ref().map(|target| spans::provider(&settings, target, &collector, &resource));
        let environment = environment.clone();
        Ok(Self { settings, collector, resource, environment, spans, numbers: None })
    }

    /// What has to hear of spans, if they are to be sent. From now on steps have the ids of spans.
    #[must_use]
    pub fn listener(&self) -> Option<Listener> {
        self.spans.as_ref().map(spans::listener)
    }

    /// Sends the numbers that `render` gives, at the interval of the settings and once more at the end.
    pub fn send_numbers(&mut self, render: Render) {
        let Some(target) = self.settings.metrics.clone() else { return };
        let (stop, stopped) = watch::channel(false);
        let sender = numbers::Sender::new(self.collector.clone(), target, &self.resource, &self.environment);
        let task = tokio::spawn(sender.run(render, self.settings.export_interval, stopped));
        self.numbers = Some((stop, task));
    }

    /// Sends what is left, at most for some seconds.
    pub async fn stop(self) {
        let numbers = async {
            if let Some((stop, task)) = self.numbers {
                stop.send_replace(true);
                drop(tokio::time::timeout(FLUSH_PATIENCE, task).await);
            }
        };
        let spans = async {
            if let Some(provider) = self.spans {
                // It blocks until its thread has sent the rest, which needs this runtime.
                let ended =
                    tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_PATIENCE));
                drop(ended.await);
            }
        };
        tokio::join!(numbers, spans);
    }
}
