//! The numbers of this process, and how they are shown.

use std::sync::OnceLock;

use heddle_clock::{Environment, Timestamp};
use heddle_telemetry::meters;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::process;

/// Upper bounds of the latency histograms, in seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// The process's recorder: all servers of one process share it.
struct Recorder {
    handle: PrometheusHandle,
    started: Timestamp,
}

fn recorder() -> Option<&'static Recorder> {
    static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();
    let install = || {
        let suffix = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(suffix, &SECONDS).ok()?;
        let handle = builder.install_recorder().ok()?;
        meters::describe_all();
        metrics::gauge!("heddle_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        Some(Recorder { handle, started: Environment::system().now() })
    };
    RECORDER.get_or_init(install).as_ref()
}

/// Starts counting; what happened before is not counted.
pub fn start_metrics() {
    recorder();
}

/// All numbers, in the text format of Prometheus, version 0.0.4.
pub fn metrics_text() -> String {
    let Some(recorder) = recorder() else { return String::new() };
    process::measure(recorder.started);
    recorder.handle.render()
}

/// Puts what was measured since the last time into its histogram: otherwise it would lie there until somebody asks.
pub fn tidy_metrics() {
    if let Some(recorder) = recorder() {
        recorder.handle.run_upkeep();
    }
}
