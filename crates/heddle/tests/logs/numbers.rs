//! What a server shows after a story is what the guide promises: every number with its labels, and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use heddle_telemetry::meters;

use crate::told;

/// Numbers that a story which goes well does not move.
const RARE: [&str; 1] = ["heddle_jobs_buried_total"];

/// Names with their labels.
type Names = BTreeMap<String, BTreeSet<String>>;

/// What the rows of the guide's tables promise: a name, how it behaves, its labels.
fn promised() -> Names {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/observing.md");
    let guide = fs::read_to_string(guide).expect("the guide is there");
    let rows = guide.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, "counter" | "gauge" | "histogram", labels, ..] = cells.as_slice() else { return None };
        let labels = labels.split(", ").filter(|label| !label.is_empty());
        let labels = labels.map(|label| label.trim_matches('`').to_owned()).collect();
        Some((name.trim_matches('`').to_owned(), labels))
    });
    rows.collect()
}

fn counted() -> Names {
    let labels = |meter: &meters::Meter| meter.labels.iter().map(|label| (*label).to_owned()).collect();
    meters::ALL.iter().map(|meter| (meter.name.to_owned(), labels(meter))).collect()
}

/// What the text of `/metrics` has: a series of a histogram counts for the histogram.
fn shown(text: &str) -> Names {
    let mut shown = Names::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).expect("a name"));
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        let name = histogram.filter(|base| base.ends_with("_seconds")).unwrap_or(name);
        let labels = rest.split("=\"").map(|part| part.rsplit([',', '{']).next().unwrap_or_default());
        let labels: Vec<String> = labels.map(str::to_owned).collect();
        let all = shown.entry(name.to_owned()).or_default();
        all.extend(labels[..labels.len() - 1].iter().filter(|label| *label != "le").cloned());
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_lists_every_number_that_a_server_shows_and_no_other() {
    let told = told().await;
    assert_eq!(promised(), counted(), "the guide, and what is known of numbers");
    let shown = shown(&told.metrics);
    for (name, labels) in &shown {
        let promised = counted().remove(name).unwrap_or_else(|| panic!("{name} is in no list"));
        assert_eq!(*labels, promised, "{name}");
    }
    let missing: Vec<String> = counted()
        .into_keys()
        .filter(|name| !shown.contains_key(name) && !RARE.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?} are promised and not shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_component_that_a_server_needs_is_named_with_its_state() {
    let told = told().await;
    let components: BTreeMap<&str, bool> = told.readiness["componentResults"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|result| Some((result["component"].as_str()?, result["isHealthy"].as_bool()?)))
        .collect();
    let healthy = ["bus", "database", "disk", "identity-issuers", "vault"].map(|name| (name, true));
    assert_eq!(components, BTreeMap::from(healthy));
}
