//! The numbers that a process counts: every name, what it means, and its unit.
//!
//! Whoever counts uses the macros of the crate `metrics` with one of these names; a test compares this list and the
//! guide with what a server shows after a story. Labels are bounded: routes are templates, kinds and outcomes are words
//! of the code. No label names a participant, a tenant, an address or an id, so that a thousand more participants make
//! no series more.

/// How a number behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from the start of the process.
    Counter,
    /// It is what it is at this moment.
    Gauge,
    /// How often which values came.
    Histogram,
}

/// One number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means; seconds and bytes are in the name.
    pub meaning: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Meter {
    Meter { name, kind: Kind::Counter, labels, meaning }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Meter {
    Meter { name, kind: Kind::Gauge, labels, meaning }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Meter {
    Meter { name, kind: Kind::Histogram, labels, meaning }
}

/// All of them.
pub const ALL: &[Meter] = &[
    // What the installation is for.
    gauge("heddle_tenants", &[], "tenants of the installation"),
    gauge(
        "heddle_vpas",
        &["service", "state"],
        "virtual participant agents of a kind of service, active or not",
    ),
    gauge("heddle_flows", &["state"], "data flows that are not over, by state"),
    counter("heddle_tenant_changes_total", &["change"], "tenants created and deleted"),
    counter("heddle_vpa_moves_total", &["state"], "virtual participant agents that came into a state"),
    counter("heddle_orchestrations_started_total", &[], "orchestrations started"),
    counter("heddle_orchestrations_completed_total", &["result"], "orchestrations that ended"),
    counter("heddle_contracts_negotiated_total", &[], "negotiations that were finalized, on either side"),
    counter("heddle_flow_moves_total", &["side", "state"], "data flows that came into a state"),
    counter("heddle_flow_bytes_total", &["direction"], "bytes of data that passed the data plane"),
    counter("heddle_credentials_issued_total", &[], "credentials issued and delivered"),
    // Requests that come.
    counter("heddle_http_requests_total", &["method", "route", "status", "surface"], "requests answered"),
    histogram(
        "heddle_http_request_seconds",
        &["method", "route", "surface"],
        "time from a request's head to the head of its answer",
    ),
    gauge("heddle_http_in_flight", &["surface"], "requests under way on a surface"),
    gauge("heddle_http_in_flight_max", &["surface"], "requests that a surface takes at a time"),
    // Requests that go.
    counter("heddle_outbound_requests_total", &["outcome"], "requests sent to others, by what came of them"),
    histogram("heddle_outbound_request_seconds", &["outcome"], "time until the head of their answer"),
    // Jobs.
    gauge("heddle_jobs", &["kind", "state"], "jobs in the database: waiting, running, dead"),
    counter("heddle_jobs_buried_total", &["kind"], "jobs that were set aside for a person to look at"),
    gauge("heddle_job_overdue_seconds", &[], "how long the job that has waited longest has been due"),
    histogram(
        "heddle_job_wait_seconds",
        &["kind"],
        "time from the commit of a job to the start of its first attempt",
    ),
    histogram("heddle_job_seconds", &["kind"], "time of an attempt at a job"),
    counter("heddle_job_attempts_total", &["kind", "outcome"], "attempts at jobs, by what came of them"),
    // The database.
    histogram("heddle_store_commit_seconds", &[], "time of a commit"),
    counter("heddle_store_commits_total", &["outcome"], "commits, by what came of them"),
    histogram("heddle_store_read_seconds", &["operation"], "time of a read"),
    gauge("heddle_store_connections", &["pool", "state"], "connections of a pool: in use, idle, awaited"),
    gauge("heddle_store_connections_max", &["pool"], "connections that a pool may have"),
    // Caches.
    gauge("heddle_cache_entries", &["cache"], "entries of a cache"),
    counter("heddle_cache_requests_total", &["cache", "outcome"], "questions to a cache: hit or miss"),
    // Health and telemetry itself.
    gauge(
        "heddle_component_healthy",
        &["component"],
        "1 if a component worked when it was tried last, else 0",
    ),
    counter(
        "heddle_otlp_exports_total",
        &["outcome", "signal"],
        "messages sent to the collector, by what came of them",
    ),
    gauge(
        "heddle_data_dir_free_bytes",
        &[],
        "free space where the data directory is, when health was asked last",
    ),
    // The process, by the names that Prometheus' own clients use.
    gauge("process_resident_memory_bytes", &[], "memory of the process that is in RAM"),
    gauge("process_virtual_memory_bytes", &[], "address space of the process"),
    gauge("process_open_fds", &[], "open file descriptors"),
    gauge("process_max_fds", &[], "file descriptors that the process may have"),
    gauge("process_threads", &[], "threads"),
    counter("process_cpu_seconds_total", &[], "time on processors, in whole seconds"),
    gauge("process_start_time_seconds", &[], "when the process started, in seconds since 1970"),
    gauge("heddle_build_info", &["version"], "1, with the version as a label"),
];

/// Tells the recorder what each number means.
pub fn describe_all() {
    for meter in ALL {
        match meter.kind {
            Kind::Counter => metrics::describe_counter!(meter.name, meter.meaning),
            Kind::Gauge => metrics::describe_gauge!(meter.name, meter.meaning),
            Kind::Histogram => metrics::describe_histogram!(meter.name, meter.meaning),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_those_of_prometheus_and_none_is_there_twice() {
        let names: BTreeSet<&str> = ALL.iter().map(|meter| meter.name).collect();
        assert_eq!(names.len(), ALL.len());
        for meter in ALL {
            assert_eq!(meter.kind == Kind::Counter, meter.name.ends_with("_total"), "{}", meter.name);
            assert!(meter.kind != Kind::Histogram || meter.name.ends_with("_seconds"), "{}", meter.name);
            assert!(meter.labels.is_sorted(), "{}", meter.name);
            for label in meter.labels {
                let unbounded = ["participant", "tenant", "context", "did", "host", "url", "path", "id"];
                assert!(!unbounded.contains(label), "{} has the unbounded label {label}", meter.name);
            }
        }
    }
}
