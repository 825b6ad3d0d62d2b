//! What this process tells of itself, and to whom. What the file leaves open, the standard variables of OpenTelemetry
//! may say (`OTEL_EXPORTER_OTLP_ENDPOINT` and others).

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Mistake,
    reader::{Section, names_somebody},
};

/// Traces and metrics over OTLP, and what is counted how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// The address of an OpenTelemetry collector that takes OTLP over HTTP, such as `http://collector:4318`.
    pub endpoint: Option<String>,
    /// A file with headers for it, one `name: value` a line.
    pub headers_file: Option<PathBuf>,
    /// A PEM file of certificate authorities to trust for it, besides those of the operating system.
    pub certificate_file: Option<PathBuf>,
    /// Which part of the traces that begin here is sent, from 0 to 1.
    pub sampling_ratio: Option<f64>,
    /// How often metrics are sent to it.
    pub export_interval: Option<Duration>,
    /// What the service is called there.
    pub service_name: Option<String>,
    /// Which of several processes this is.
    pub service_instance: Option<String>,
    /// How often rows are counted for gauges such as the number of waiting jobs.
    pub census_interval: Duration,
    /// Free space in the data directory below which it counts as unhealthy, in bytes.
    pub disk_free_bytes_min: u64,
}

pub(super) fn read(mut section: Section<'_>, base: &Path, mistakes: &mut Vec<Mistake>) -> Telemetry {
    let endpoint = section.text("endpoint");
    if let Some(text) = &endpoint
        && !url::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && !names_somebody(&url))
    {
        // A password may stand in it, so it is not shown.
        let what = "'telemetry.endpoint' must be an address such as http://collector:4318";
        section.wrong("endpoint", what.to_owned());
    }
    let seconds = |n| Duration::from_secs(n);
    let telemetry = Telemetry {
        endpoint,
        headers_file: section.text("headers_file").map(|path| base.join(path)),
        certificate_file: section.text("certificate_file").map(|path| base.join(path)),
        sampling_ratio: section.ratio("sampling_ratio"),
        export_interval: section.integer("export_interval_seconds").map(seconds),
        service_name: section.text("service_name"),
        service_instance: section.text("service_instance"),
        census_interval: seconds(section.number("census_seconds")),
        disk_free_bytes_min: section.number("disk_free_mib_min") << 20,
    };
    mistakes.extend(section.end());
    telemetry
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::parse;

    #[test]
    fn the_collector_and_what_it_gets_are_settings() {
        let text = "[telemetry]\nendpoint = \"https://c:4318\"\nheaders_file = \"secret/otlp\"\nsampling_ratio = 0.25\n\
                    export_interval_seconds = 10\n";
        let configuration = parse(text, Path::new("heddle.toml"), Path::new("/etc/heddle")).expect("legal");
        let telemetry = configuration.telemetry;
        assert_eq!(telemetry.sampling_ratio, Some(0.25));
        assert_eq!(telemetry.headers_file.as_deref(), Some(Path::new("/etc/heddle/secret/otlp")));
        assert_eq!(telemetry.export_interval.map(|interval| interval.as_secs()), Some(10));
    }

    #[test]
    fn mistakes_name_their_lines_and_no_password() {
        let text = "[telemetry]\nendpoint = \"http://u:hush@c\"\nsampling_ratio = 2\ncensus_seconds = 0\n";
        let error = parse(text, Path::new("heddle.toml"), Path::new(".")).expect_err("three").to_string();
        for expected in [
            "line 2: 'telemetry.endpoint' must be an address",
            "line 3: 'telemetry.sampling_ratio' must be a number from 0 to 1",
            "line 4: 'telemetry.census_seconds' must be from 1 to 3600",
        ] {
            assert!(error.contains(expected), "{expected}\n{error}");
        }
        assert!(!error.contains("hush"), "{error}");
    }
}
