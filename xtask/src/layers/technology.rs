//! Which crate may depend on which outside technology.

use super::package::{Dependency, Package};
use crate::Violation;

/// Outside crates, the folders that may use them, and what the others do instead.
const HOMES: &[(&[&str], &[&str], &str)] = &[
    (
        &["rusqlite", "libsqlite3-sys"],
        &["crates/platform/store-sqlite"],
        "go through the storage port heddle-store",
    ),
    (
        &["tokio-postgres", "deadpool", "deadpool-postgres", "postgres-types"],
        &["crates/platform/store-postgres"],
        "go through the storage port heddle-store",
    ),
    (&["sqlx", "diesel", "sea-orm"], &[], "go through the storage port heddle-store"),
    (&["reqwest", "hyper-rustls", "ureq"], &["crates/platform/outbound"], "call through heddle-outbound"),
    (&["async-nats", "nats"], &["crates/platform/bus-nats"], "go through the messaging port heddle-bus"),
    (&["vaultrs"], &["crates/platform/vault-hashicorp"], "go through the port heddle-vault"),
    (
        &["axum", "axum-extra", "axum-core"],
        &[
            "crates/platform/web",
            // The token service is an authorization server; its endpoints are the same in every process.
            "crates/platform/auth",
            "crates/runtime",
            "crates/management",
            "crates/portal",
            "crates/heddle",
            "conformance",
            "bench",
            "examples",
        ],
        "answer HTTP in an `api` or `endpoints` module of a crate of layer 3",
    ),
    (
        &["getrandom", "rand"],
        &["crates/base/clock"],
        "take random bytes as an argument, from heddle_clock::Environment",
    ),
];

/// What makes a crate wait or talk. The two lowest layers are functions and do neither.
const IO: &[&str] = &[
    "async-std",
    "async-trait",
    "futures",
    "futures-util",
    "hyper",
    "hyper-util",
    "mio",
    "rustls",
    "socket2",
    "tokio",
    "tokio-stream",
    "tokio-util",
    "tower",
    "tracing-subscriber",
];

/// Outside technology is where it belongs. Tests may use what they like.
pub fn check(packages: &[Package]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages {
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.tests_only) {
            if let Some(remedy) = objection(package, dependency) {
                let what = format!("'{}' must not depend on '{}'", package.name, dependency.name);
                violations.push(Violation::at(package.manifest(), &dependency.name, what, remedy));
            }
        }
    }
    violations
}

fn objection(package: &Package, dependency: &Dependency) -> Option<&'static str> {
    let name = dependency.name.as_str();
    let silent = package.is_in("crates/base") || package.is_in("crates/protocols");
    if silent && IO.contains(&name) {
        return Some(
            "it is a function of its arguments: leave sockets, timers and `async` to crates/platform",
        );
    }
    let (_, homes, remedy) = HOMES.iter().find(|(technology, ..)| technology.contains(&name))?;
    let at_home = homes.iter().any(|home| package.is_in(home));
    (!at_home).then_some(*remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(folder: &str, dependency: &str) -> bool {
        !check(&[Package::of(folder, &[dependency])]).is_empty()
    }

    #[test]
    fn each_technology_is_allowed_at_home_and_nowhere_else() {
        for (technology, homes, _) in HOMES {
            for name in *technology {
                for home in *homes {
                    assert!(!objects(home, name), "{name} in {home}");
                }
                assert!(objects("crates/platform/tenancy", name), "{name}");
                assert!(objects("crates/protocols/dsp", name), "{name}");
            }
        }
        assert!(objects("crates/runtime/control-plane", "rusqlite"));
        assert!(objects("crates/platform/store-postgres", "rusqlite"));
        assert!(!objects("crates/runtime/control-plane", "axum"));
    }

    #[test]
    fn the_low_layers_neither_wait_nor_talk() {
        for name in IO {
            assert!(objects("crates/protocols/dcp", name) && objects("crates/base/ids", name), "{name}");
            assert!(!objects("crates/platform/store", name), "{name}");
        }
        assert!(!objects("crates/protocols/dcp", "serde"));
    }

    #[test]
    fn tests_may_use_what_they_like() {
        assert!(!objects("crates/protocols/dsp", "dev:tokio"));
        assert!(!objects("crates/runtime/control-plane", "dev:reqwest"));
    }
}
