//! What this process tells of itself: its log, and, if somebody says where to, traces and metrics over OTLP.

use heddle_telemetry::logs;

use crate::{config::Configuration, server};

/// Telemetry that runs until it is stopped.
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    exporter: Option<heddle_telemetry_otlp::Exporter>,
}

/// Starts the log, and the exporter that the configuration or the environment names. Once a process.
///
/// # Errors
/// What is wrong with the settings, in a sentence.
pub fn start(configuration: &Configuration) -> anyhow::Result<Telemetry> {
    server::start_metrics();
    let format = if configuration.log.text { logs::Format::Text } else { logs::Format::Json };
    let filter = &configuration.log.filter;
    #[cfg(feature = "otlp")]
    {
        let exporter = exporter(configuration)?;
        let listener = exporter.as_ref().and_then(heddle_telemetry_otlp::Exporter::listener);
        logs::start_with(format, filter, listener);
        Ok(Telemetry { exporter })
    }
    #[cfg(not(feature = "otlp"))]
    {
        anyhow::ensure!(
            configuration.telemetry.endpoint.is_none(),
            "'telemetry.endpoint' is set, and this build sends nothing over OTLP; build it with the feature 'otlp'"
        );
        logs::start(format, filter);
        Ok(Telemetry {})
    }
}

#[cfg(feature = "otlp")]
fn exporter(configuration: &Configuration) -> anyhow::Result<Option<heddle_telemetry_otlp::Exporter>> {
    let settings = configuration.telemetry.clone();
    let settings = heddle_telemetry_otlp::Settings {
        endpoint: settings.endpoint,
        headers_file: settings.headers_file,
        certificate_file: settings.certificate_file,
        sampling_ratio: settings.sampling_ratio,
        export_interval: settings.export_interval.unwrap_or_default(),
        service_name: settings.service_name,
        service_instance: settings.service_instance,
        ..heddle_telemetry_otlp::Settings::default()
    };
    let Some(settings) = settings.complete(|name| std::env::var(name).ok())? else { return Ok(None) };
    let environment = heddle_clock::Environment::system();
    let mut exporter =
        heddle_telemetry_otlp::Exporter::new(settings, env!("CARGO_PKG_VERSION"), &environment)?;
    exporter.send_numbers(std::sync::Arc::new(server::metrics_text));
    Ok(Some(exporter))
}

impl Telemetry {
    /// Sends what is left, at most for some seconds.
    pub async fn stop(self) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = self.exporter {
            exporter.stop().await;
        }
    }
}
