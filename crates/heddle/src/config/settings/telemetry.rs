//! `[telemetry]`.

use super::{FileUse, Kind, Setting};

pub(super) const SETTINGS: &[Setting] = &[
    Setting::open(
        "telemetry.endpoint",
        Kind::Text,
        r#""http://collector.example.org:4318""#,
        "An OpenTelemetry collector that takes OTLP over HTTP. Unless set, OTEL_EXPORTER_OTLP_ENDPOINT, and without that \
         nothing is sent.",
    ),
    Setting::open(
        "telemetry.headers_file",
        Kind::Text,
        r#""/etc/heddle/otlp-headers""#,
        "A file with headers for the collector, one 'name: value' a line, mode 0600. Unless set, OTEL_EXPORTER_OTLP_HEADERS.",
    )
    .file(FileUse::Secret),
    Setting::open(
        "telemetry.certificate_file",
        Kind::Text,
        r#""/etc/heddle/collector-ca.pem""#,
        "A PEM file of certificate authorities to trust for the collector, besides those of the operating system.",
    )
    .file(FileUse::Public),
    Setting::open(
        "telemetry.sampling_ratio",
        Kind::Ratio,
        "0.1",
        "Which part of the traces that begin here is sent. Unless set, as OTEL_TRACES_SAMPLER says, and without that all.",
    ),
    Setting::open(
        "telemetry.export_interval_seconds",
        Kind::Integer(1, 3600),
        "60",
        "How often metrics are sent to the collector. Unless set, as OTEL_METRIC_EXPORT_INTERVAL says, and without that once \
         a minute.",
    )
    .unit("seconds"),
    Setting::open(
        "telemetry.service_name",
        Kind::Text,
        r#""heddle""#,
        "What the service is called at the collector. Unless set, OTEL_SERVICE_NAME, and without that heddle.",
    ),
    Setting::open(
        "telemetry.service_instance",
        Kind::Text,
        r#""heddle-0""#,
        "Which of several processes this is, at the collector. Unless set, a name is made at each start.",
    ),
    Setting::new(
        "telemetry.census_seconds",
        Kind::Integer(1, 3600),
        "15",
        "How often rows are counted for gauges such as the number of waiting jobs.",
    )
    .unit("seconds"),
    Setting::new(
        "telemetry.disk_free_mib_min",
        Kind::Integer(0, 1 << 20),
        "128",
        "Free space in the data directory below which it counts as unhealthy.",
    )
    .unit("MiB"),
];
