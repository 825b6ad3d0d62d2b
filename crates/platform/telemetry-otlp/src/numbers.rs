//! Metrics: the text that `/metrics` shows, as messages of OTLP.
//!
//! Sums and histograms are cumulative from the start of the process, as they are in the text.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use heddle_clock::{Environment, Timestamp};
use opentelemetry_proto::{
    tonic::{
        collector::metrics::v1::ExportMetricsServiceRequest,
        common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
        metrics::v1::{
            AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
            ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point,
        },
        resource::v1::Resource as Described,
    },
    transform::common::tonic::ResourceAttributesWithSchema,
};
use opentelemetry_sdk::Resource;
use prost::Message;
use tokio::sync::watch;

use crate::{Render, Target, collector::Collector};

/// Sends the numbers at an interval.
pub(crate) struct Sender {
    collector: Arc<Collector>,
    target: Target,
    resource: Described,
    environment: Environment,
    started: Timestamp,
}

impl Sender {
    pub(crate) fn new(
        collector: Arc<Collector>,
        target: Target,
        resource: &Resource,
        environment: &Environment,
    ) -> Self {
        let attributes = ResourceAttributesWithSchema::from(resource).attributes.0;
        let resource = Described { attributes, ..Described::default() };
        Self { collector, target, resource, environment: environment.clone(), started: environment.now() }
    }

    /// Until it is stopped, and once more then.
    pub(crate) async fn run(self, render: Render, every: Duration, mut stopped: watch::Receiver<bool>) {
        loop {
            let end = tokio::select! {
                () = tokio::time::sleep(every) => false,
                _ = stopped.changed() => true,
            };
            let message = self.message(&render()).encode_to_vec();
            self.collector.send("metrics", &self.target, message).await;
            if end {
                return;
            }
        }
    }

    fn message(&self, text: &str) -> ExportMetricsServiceRequest {
        let times = (nanos(self.started), nanos(self.environment.now()));
        let scope = InstrumentationScope { name: "heddle".to_owned(), ..InstrumentationScope::default() };
        let metrics = ScopeMetrics {
            scope: Some(scope),
            metrics: families(text).into_iter().filter_map(|(name, f)| f.metric(name, times)).collect(),
            schema_url: String::new(),
        };
        let resource_metrics = ResourceMetrics {
            resource: Some(self.resource.clone()),
            scope_metrics: vec![metrics],
            schema_url: String::new(),
        };
        ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }
    }
}

fn nanos(at: Timestamp) -> u64 {
    let ms = u64::try_from(at.as_millis()).unwrap_or(0);
    let at: SystemTime = UNIX_EPOCH + Duration::from_millis(ms);
    at.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// Labels of a sample, in their order.
type Labels = Vec<(String, String)>;

/// All samples of one name.
#[derive(Debug, Default)]
struct Family {
    meaning: String,
    kind: String,
    values: Vec<(Labels, f64)>,
    histograms: BTreeMap<Labels, Distribution>,
}

/// One histogram: upper bounds with how many values are at most as large.
#[derive(Debug, Default)]
struct Distribution {
    cumulative: Vec<(f64, u64)>,
    sum: f64,
    count: u64,
}

/// Reads the text format of Prometheus, version 0.0.4, as far as our own recorder writes it.
fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            if let Some((name, meaning)) = rest.split_once(' ') {
                families.entry(name.to_owned()).or_default().meaning = meaning.to_owned();
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            if let Some((name, kind)) = rest.split_once(' ') {
                families.entry(name.to_owned()).or_default().kind = kind.to_owned();
            }
        } else if let Some((name, labels, value)) = sample(line) {
            add(&mut families, name, labels, value);
        }
    }
    families
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are whole and not negative"
)]
fn add(families: &mut BTreeMap<String, Family>, name: &str, mut labels: Labels, value: f64) {
    for suffix in ["_bucket", "_sum", "_count"] {
        let Some(family) = name.strip_suffix(suffix).and_then(|base| families.get_mut(base)) else {
            continue;
        };
        if family.kind != "histogram" {
            continue;
        }
        let bound = labels.iter().position(|(name, _)| name == "le").map(|place| labels.remove(place).1);
        let distribution = family.histograms.entry(labels).or_default();
        match (suffix, bound.and_then(|bound| bound.parse().ok())) {
            ("_bucket", Some(bound)) => distribution.cumulative.push((bound, value as u64)),
            ("_sum", _) => distribution.sum = value,
            ("_count", _) => distribution.count = value as u64,
            _ => {}
        }
        return;
    }
    families.entry(name.to_owned()).or_default().values.push((labels, value));
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let (name, rest) = line.split_at(line.find(['{', ' '])?);
    let Some(mut rest) = rest.strip_prefix('{') else {
        return Some((name, Labels::new(), rest.trim().parse().ok()?));
    };
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(value) = rest.strip_prefix('}') {
            return Some((name, labels, value.trim().parse().ok()?));
        }
        let (label, quoted) = rest.split_once("=\"")?;
        let (value, behind) = unquoted(quoted)?;
        labels.push((label.to_owned(), value));
        rest = behind;
    }
}

/// The text up to the closing quote, and what is behind that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[place + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

impl Family {
    fn metric(self, name: String, times: (u64, u64)) -> Option<Metric> {
        let points = |values: Vec<(Labels, f64)>| {
            values.into_iter().map(|(labels, value)| point(labels, value, times)).collect::<Vec<_>>()
        };
        let cumulative = AggregationTemporality::Cumulative as i32;
        let data = match self.kind.as_str() {
            "counter" => Data::Sum(Sum {
                data_points: points(self.values),
                aggregation_temporality: cumulative,
                is_monotonic: true,
            }),
            "gauge" => Data::Gauge(Gauge { data_points: points(self.values) }),
            "histogram" => Data::Histogram(Histogram {
                data_points: self.histograms.into_iter().map(|(labels, d)| d.point(labels, times)).collect(),
                aggregation_temporality: cumulative,
            }),
            _ => return None,
        };
        let unit = unit(&name).to_owned();
        Some(Metric { name, description: self.meaning, unit, metadata: Vec::new(), data: Some(data) })
    }
}

impl Distribution {
    fn point(self, labels: Labels, (start, time): (u64, u64)) -> HistogramDataPoint {
        let mut before = 0;
        let bucket_counts = self.cumulative.iter().map(|(_, upto)| {
            let own = upto.saturating_sub(before);
            before = *upto;
            own
        });
        HistogramDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: start,
            time_unix_nano: time,
            count: self.count,
            sum: Some(self.sum),
            bucket_counts: bucket_counts.collect(),
            explicit_bounds: self
                .cumulative
                .iter()
                .map(|(bound, _)| *bound)
                .filter(|b| b.is_finite())
                .collect(),
            ..HistogramDataPoint::default()
        }
    }
}

fn point(labels: Labels, value: f64, (start, time): (u64, u64)) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: start,
        time_unix_nano: time,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn attributes(labels: Labels) -> Vec<KeyValue> {
    let attribute = |(key, value)| KeyValue {
        key,
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value)) }),
        ..KeyValue::default()
    };
    labels.into_iter().map(attribute).collect()
}

/// The unit that a name ends in, as UCUM writes it.
fn unit(name: &str) -> &'static str {
    match name.trim_end_matches("_total") {
        name if name.ends_with("_seconds") => "s",
        name if name.ends_with("_bytes") => "By",
        _ => "1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a_total what it is\n# TYPE a_total counter\na_total{way=\"in\\\"\\\\\\n\"} 3\n\n\
        # TYPE g gauge\ng 2.5\n\n# TYPE h_seconds histogram\nh_seconds_bucket{r=\"x\",le=\"0.1\"} 1\n\
        h_seconds_bucket{r=\"x\",le=\"1\"} 3\nh_seconds_bucket{r=\"x\",le=\"+Inf\"} 4\nh_seconds_sum{r=\"x\"} 7.5\n\
        h_seconds_count{r=\"x\"} 4\n";

    #[test]
    fn the_text_becomes_sums_gauges_and_histograms() {
        let metrics: Vec<Metric> =
            families(TEXT).into_iter().filter_map(|(name, family)| family.metric(name, (1, 2))).collect();
        let [sum, gauge, histogram] = metrics.as_slice() else { panic!("three: {metrics:?}") };
        assert_eq!((sum.description.as_str(), sum.unit.as_str()), ("what it is", "1"));
        let Some(Data::Sum(sum)) = &sum.data else { panic!("{sum:?}") };
        assert!(sum.is_monotonic);
        let label = sum.data_points[0].attributes[0].value.clone().and_then(|value| value.value);
        assert_eq!(label, Some(any_value::Value::StringValue("in\"\\\n".to_owned())));
        let Some(Data::Gauge(gauge)) = &gauge.data else { panic!("{gauge:?}") };
        assert_eq!(gauge.data_points[0].value, Some(number_data_point::Value::AsDouble(2.5)));
        assert_eq!(histogram.unit, "s");
        let Some(Data::Histogram(histogram)) = &histogram.data else { panic!("{histogram:?}") };
        let point = &histogram.data_points[0];
        assert_eq!((point.count, point.sum), (4, Some(7.5)));
        assert_eq!(
            (point.bucket_counts.as_slice(), point.explicit_bounds.as_slice()),
            (&[1, 2, 1][..], &[0.1, 1.0][..])
        );
    }
}
