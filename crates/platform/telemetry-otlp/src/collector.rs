//! The other end: one client, and what is said when it does not answer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heddle_clock::{Environment, Timestamp};
use heddle_outbound::{Outbound, OutboundConfig, Request};
use http::{HeaderValue, header};

use crate::{InvalidSettings, Settings, Target};

/// How often the log tells of a collector that does not take what is sent.
const TOLD_EVERY: Duration = Duration::from_secs(600);

/// Sends messages, and counts and tells what comes of them.
#[derive(Debug)]
pub(crate) struct Collector {
    outbound: Outbound,
    timeout: Duration,
    trouble: Arc<Mutex<Trouble>>,
}

/// What the log was told.
#[derive(Debug, Default)]
struct Trouble {
    /// When it was last told that messages are lost; `None` while they are taken.
    told_at: Option<Timestamp>,
    /// Messages lost since then.
    lost: u64,
}

impl Collector {
    pub(crate) fn new(settings: &Settings, environment: &Environment) -> Result<Self, InvalidSettings> {
        let config = OutboundConfig {
            own_origins: settings.origins(),
            extra_roots: settings.certificate_file.clone(),
            request_timeout: settings.timeout,
            ..OutboundConfig::default()
        };
        let outbound = Outbound::new(config, environment.clone())?;
        Ok(Self { outbound, timeout: settings.timeout, trouble: Arc::default() })
    }

    /// Sends one message; whether it was taken. It is not sent again: numbers are sums, so the next message has them
    /// all, and a queue of spans that waits for a collector would only grow.
    pub(crate) async fn send(&self, signal: &'static str, target: &Target, message: Vec<u8>) -> bool {
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        let mut request = Request::post(&target.url)
            .json(message)
            .header(header::CONTENT_TYPE, protobuf.clone())
            .header(header::ACCEPT, protobuf)
            .timeout(self.timeout);
        for (name, value) in &target.headers {
            request = request.header(name.clone(), value.clone());
        }
        let answer = self.outbound.send(request).await;
        let outcome = if answer.is_ok() { "taken" } else { "lost" };
        metrics::counter!("heddle_otlp_exports_total", "signal" => signal, "outcome" => outcome).increment(1);
        let now = self.outbound.environment().now();
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(_) => trouble.ends(),
            Err(error) => trouble.goes_on(signal, &error.to_string(), now),
        }
        outcome == "taken"
    }
}

impl Trouble {
    fn ends(&mut self) {
        if self.told_at.take().is_some() {
            let lost = std::mem::take(&mut self.lost);
            tracing::info!(
                component = "telemetry",
                action = "export",
                lost,
                "the collector takes messages again"
            );
        }
    }

    fn goes_on(&mut self, signal: &str, error: &str, now: Timestamp) {
        self.lost += 1;
        if self.told_at.is_some_and(|told| now.since(told) < TOLD_EVERY) {
            return;
        }
        self.told_at = Some(now);
        tracing::warn!(
            component = "telemetry",
            action = "export",
            signal,
            lost = self.lost,
            error,
            "the collector does not take messages; what they held is lost, and nothing else suffers"
        );
    }
}
