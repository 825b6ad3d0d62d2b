//! Where to send what: the configuration's settings, completed by the standard variables of the environment.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use heddle_clock::Environment;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use percent_encoding::percent_decode_str;
use url::Url;

/// How long one message to the collector may take, unless the environment says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Settings with which nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// An address is none.
    #[error("{name} must be an address such as http://collector:4318, not '{value}'")]
    Endpoint {
        /// Which setting or variable.
        name: String,
        /// What it says, shortened.
        value: String,
    },
    /// A file with headers cannot be used. Nothing of its text is told: it is secret.
    #[error("the headers in {} cannot be used: {reason}; write one a line, as in 'api-key: …'", path.display())]
    Headers {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A variable says what cannot be. Its value is told only where it can be no secret.
    #[error("{name} {reason}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The HTTP client cannot be made.
    #[error("no client for the collector can be made: {0}")]
    Client(#[from] heddle_outbound::InvalidConfig),
}

/// Where one kind of messages goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The address, with its path.
    pub url: String,
    /// What goes along; its values are secret.
    pub headers: HeaderMap,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What the configuration file says. What it leaves open, the environment may say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The address of the collector, such as `http://collector:4318`.
    pub endpoint: Option<String>,
    /// A file with headers for the collector, one `name: value` a line.
    pub headers_file: Option<PathBuf>,
    /// A PEM file of certificate authorities to trust for the collector.
    pub certificate_file: Option<PathBuf>,
    /// Which part of the traces that begin here is sent, from 0 to 1. A trace that began elsewhere is sent when its
    /// beginning is.
    pub sampling_ratio: Option<f64>,
    /// How often metrics are sent.
    pub export_interval: Duration,
    /// How long one message may take.
    pub timeout: Duration,
    /// The name of the service.
    pub service_name: Option<String>,
    /// Which of several processes this is; a random one unless said.
    pub service_instance: Option<String>,
    /// Where spans go, if they do; known after [`Settings::complete`].
    pub traces: Option<Target>,
    /// Where metrics go, if they do; known after [`Settings::complete`].
    pub metrics: Option<Target>,
}

/// The standard variable `name`, if it says something.
type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Completes what the file says by the standard variables of OpenTelemetry: `OTEL_EXPORTER_OTLP_ENDPOINT`,
    /// `…_HEADERS`, `…_TIMEOUT`, `…_CERTIFICATE`, `…_PROTOCOL`, those of single signals, and `OTEL_SDK_DISABLED`,
    /// `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`, `OTEL_TRACES_SAMPLER` with its argument,
    /// `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_SERVICE_NAME`. Gives `None` when there is nowhere to send anything.
    ///
    /// # Errors
    /// See [`InvalidSettings`].
    pub fn complete(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, InvalidSettings> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let is =
            |name: &str, value: &str| variable(name).is_some_and(|v| v.trim().eq_ignore_ascii_case(value));
        if is("OTEL_SDK_DISABLED", "true") {
            return Ok(None);
        }
        self.timing(&variable)?;
        self.certificate_file =
            self.certificate_file.or_else(|| variable("OTEL_EXPORTER_OTLP_CERTIFICATE").map(PathBuf::from));
        let attribute = |name| variable("OTEL_RESOURCE_ATTRIBUTES").and_then(|text| attribute(&text, name));
        let named = || variable("OTEL_SERVICE_NAME").or_else(|| attribute("service.name"));
        self.service_name = self.service_name.or_else(named);
        self.service_instance = self.service_instance.or_else(|| attribute("service.instance.id"));
        self.sampling_ratio = match self.sampling_ratio {
            Some(ratio) => Some(ratio),
            None => sampling(&variable)?,
        };
        let of_file = self.headers_file.as_deref().map(headers_of_file).transpose()?;
        let target =
            |signal, path| target(self.endpoint.as_deref(), of_file.as_ref(), (signal, path), &variable);
        let traces = if is("OTEL_TRACES_EXPORTER", "none") { None } else { target("TRACES", "v1/traces")? };
        let metrics =
            if is("OTEL_METRICS_EXPORTER", "none") { None } else { target("METRICS", "v1/metrics")? };
        (self.traces, self.metrics) = (traces, metrics);
        Ok((self.traces.is_some() || self.metrics.is_some()).then_some(self))
    }

    fn timing(&mut self, variable: Variables<'_>) -> Result<(), InvalidSettings> {
        let millis = |name| match variable(name) {
            None => Ok(None),
            Some(text) => match text.trim().parse() {
                Ok(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms))),
                _ => Err(InvalidSettings::Variable {
                    name,
                    reason: "must be a number of milliseconds".to_owned(),
                }),
            },
        };
        if self.export_interval.is_zero() {
            let default = Duration::from_secs(60);
            self.export_interval = millis("OTEL_METRIC_EXPORT_INTERVAL")?.unwrap_or(default);
        }
        if self.timeout.is_zero() {
            self.timeout = millis("OTEL_EXPORTER_OTLP_TIMEOUT")?.unwrap_or(TIMEOUT);
        }
        Ok(())
    }

    /// What this process is. `OTEL_RESOURCE_ATTRIBUTES` adds to it.
    pub(crate) fn resource(&self, version: &'static str, environment: &Environment) -> Resource {
        let instance = self.service_instance.clone().unwrap_or_else(|| {
            let random = u128::from_be_bytes(environment.random());
            format!("{random:032x}")
        });
        let name = self.service_name.clone().unwrap_or_else(|| "heddle".to_owned());
        Resource::builder()
            .with_service_name(name)
            .with_attribute(KeyValue::new("service.version", version))
            .with_attribute(KeyValue::new("service.instance.id", instance))
            .build()
    }

    /// Origins that the client may reach, whatever their addresses.
    pub(crate) fn origins(&self) -> Vec<String> {
        let targets = self.traces.iter().chain(&self.metrics);
        targets.filter_map(|t| Some(Url::parse(&t.url).ok()?.origin().ascii_serialization())).collect()
    }
}

/// One of `name=value,name=value`.
fn attribute(text: &str, name: &str) -> Option<String> {
    let mut pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| known.trim() == name)?;
    percent_decode_str(value.trim()).decode_utf8().ok().map(String::from)
}

fn sampling(variable: Variables<'_>) -> Result<Option<f64>, InvalidSettings> {
    let Some(sampler) = variable("OTEL_TRACES_SAMPLER") else { return Ok(None) };
    match sampler.trim() {
        "always_on" | "parentbased_always_on" => Ok(Some(1.0)),
        "always_off" | "parentbased_always_off" => Ok(Some(0.0)),
        "traceidratio" | "parentbased_traceidratio" => {
            let ratio = variable("OTEL_TRACES_SAMPLER_ARG").unwrap_or_else(|| "1".to_owned());
            match ratio.trim().parse() {
                Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(Some(ratio)),
                _ => Err(InvalidSettings::Variable {
                    name: "OTEL_TRACES_SAMPLER_ARG",
                    reason: format!("must be a number from 0 to 1, not '{ratio}'"),
                }),
            }
        }
        other => Err(InvalidSettings::Variable {
            name: "OTEL_TRACES_SAMPLER",
            reason: format!(
                "must be always_on, always_off or traceidratio, perhaps parentbased_, not '{other}'"
            ),
        }),
    }
}

/// Where messages of one signal go: by the file, or by the signal's own variable, or by that of all signals.
fn target(
    endpoint: Option<&str>,
    of_file: Option<&HeaderMap>,
    (signal, path): (&str, &str),
    variable: Variables<'_>,
) -> Result<Option<Target>, InvalidSettings> {
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
    let url = match (endpoint, variable(&own), variable("OTEL_EXPORTER_OTLP_ENDPOINT")) {
        (Some(base), ..) => below("'telemetry.endpoint'", base, path)?,
        (None, Some(whole), _) => checked(&own, whole.trim())?,
        (None, None, Some(base)) => below("OTEL_EXPORTER_OTLP_ENDPOINT", base.trim(), path)?,
        (None, None, None) => return Ok(None),
    };
    speaks_http(&format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"), variable)?;
    let headers = match of_file {
        Some(headers) => headers.clone(),
        None => headers_of_environment(&format!("OTEL_EXPORTER_OTLP_{signal}_HEADERS"), variable)?,
    };
    Ok(Some(Target { url, headers }))
}

fn speaks_http(own: &str, variable: Variables<'_>) -> Result<(), InvalidSettings> {
    match variable(own).or_else(|| variable("OTEL_EXPORTER_OTLP_PROTOCOL")) {
        Some(protocol) if protocol.trim() != "http/protobuf" => Err(InvalidSettings::Variable {
            name: "OTEL_EXPORTER_OTLP_PROTOCOL",
            reason: format!(
                "must be http/protobuf, which collectors take on port 4318, not '{}'",
                protocol.trim()
            ),
        }),
        _ => Ok(()),
    }
}

fn below(name: &str, base: &str, path: &str) -> Result<String, InvalidSettings> {
    Ok(format!("{}/{path}", checked(name, base)?.trim_end_matches('/')))
}

fn checked(name: &str, text: &str) -> Result<String, InvalidSettings> {
    match Url::parse(text) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none() =>
        {
            Ok(text.to_owned())
        }
        // A password may stand in it.
        _ => {
            let value = text.split('@').next_back().unwrap_or_default().chars().take(100).collect();
            Err(InvalidSettings::Endpoint { name: name.to_owned(), value })
        }
    }
}

fn headers_of_file(path: &Path) -> Result<HeaderMap, InvalidSettings> {
    let unusable = |reason: String| InvalidSettings::Headers { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let mut headers = HeaderMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let header = line.split_once(':').and_then(|(name, value)| header(name, value));
        let (name, value) = header.ok_or_else(|| unusable(format!("line {} is no header", number + 1)))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn headers_of_environment(own: &str, variable: Variables<'_>) -> Result<HeaderMap, InvalidSettings> {
    let Some(text) = variable(own).or_else(|| variable("OTEL_EXPORTER_OTLP_HEADERS")) else {
        return Ok(HeaderMap::new());
    };
    let malformed = || InvalidSettings::Variable {
        name: "OTEL_EXPORTER_OTLP_HEADERS",
        reason: "must be headers as in name=value,name=value".to_owned(),
    };
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
        let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| malformed())?;
        header(name, &value).ok_or_else(malformed)
    });
    pairs.collect()
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = name.trim().parse().ok()?;
    let mut value = HeaderValue::from_str(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(
        settings: Settings,
        environment: &[(&str, &str)],
    ) -> Result<Option<Settings>, InvalidSettings> {
        let environment = environment.to_vec();
        settings.complete(|name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_sent_unless_somebody_says_where() {
        assert_eq!(completed(Settings::default(), &[]).expect("legal"), None);
        let named = Settings { endpoint: Some("http://c:4318".to_owned()), ..Settings::default() };
        assert_eq!(completed(named, &[("OTEL_SDK_DISABLED", "true")]).expect("legal"), None);
    }

    #[test]
    fn the_standard_variables_say_where_and_the_file_wins() {
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://m.example/in"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=1"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "2500"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=weaver"),
        ];
        let settings = completed(Settings::default(), &environment).expect("legal").expect("somewhere");
        let traces = settings.traces.expect("they are sent");
        assert_eq!(traces.url, "http://c:4318/v1/traces");
        assert_eq!(traces.headers["api-key"], "a b");
        assert!(!format!("{traces:?}").contains("a b"), "headers are secret");
        assert_eq!(settings.metrics.expect("they are sent").url, "https://m.example/in");
        assert_eq!(settings.sampling_ratio, Some(0.25));
        assert_eq!(settings.service_name.as_deref(), Some("weaver"));
        assert_eq!(settings.export_interval, Duration::from_millis(2500));
        let named = Settings {
            endpoint: Some("http://file:4318".to_owned()),
            sampling_ratio: Some(1.0),
            ..Settings::default()
        };
        let settings = completed(named, &environment).expect("legal").expect("somewhere");
        assert_eq!(settings.metrics.expect("they are sent").url, "http://file:4318/v1/metrics");
        assert_eq!(settings.sampling_ratio, Some(1.0));
    }

    #[test]
    fn what_cannot_be_is_told_without_secrets() {
        let at = |url: &str| [("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), url.to_owned())];
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:secret@c:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
        ] {
            let mut environment: Vec<(String, String)> = at("http://c:4318").to_vec();
            environment.retain(|(known, _)| known != name);
            environment.push((name.to_owned(), value.to_owned()));
            let lookup =
                |wanted: &str| environment.iter().find(|(known, _)| known == wanted).map(|(_, v)| v.clone());
            let error = Settings::default().complete(lookup).expect_err(value).to_string();
            assert!(error.contains(name) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn headers_come_from_a_file() {
        let folder = std::env::temp_dir().join(format!("heddle-headers-{}", std::process::id()));
        std::fs::write(&folder, "# of the collector\napi-key: s3cret\n\nx-scope: a:b\n").expect("written");
        let headers = headers_of_file(&folder).expect("legal");
        assert_eq!(
            (&headers["api-key"], &headers["x-scope"]),
            (&"s3cret".parse().expect("legal"), &"a:b".parse().expect("legal"))
        );
        std::fs::write(&folder, "s3cret\n").expect("written");
        let error = headers_of_file(&folder).expect_err("no header").to_string();
        assert!(error.contains("line 1") && !error.contains("s3cret"), "{error}");
        std::fs::remove_file(&folder).expect("it was there");
    }
}
