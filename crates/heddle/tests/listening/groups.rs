//! Several listeners: a path is answered where it belongs, and nowhere else.

use rustix::process::Signal;
use tokio::time::timeout;

use crate::{
    client::get,
    server::{PATIENCE, Place, Server, free_address, refused},
};

/// Paths that exist, their groups, and what a stranger is answered.
const PATHS: &[(&str, &str, u16)] = &[
    ("management", "/api/mgmt/v5beta/participants", 401),
    ("management", "/api/management/v5beta/participants", 401),
    ("identity", "/api/identity/v1beta/participants", 401),
    ("issuer", "/api/admin/v1beta/participants/a/holders", 405),
    ("fabric", "/api/tm/v1alpha1/tenants", 401),
    ("fabric", "/api/pm/v1alpha1/orchestrations", 405),
    ("sts", "/api/sts/token", 405),
    ("dcp", "/api/credentials/v1/participants/a/presentations/query", 405),
    ("data-plane", "/api/dataplane/v1/participants/a/flows", 401),
    ("tokens", "/oauth/jwks", 200),
    ("tokens", "/.well-known/oauth-authorization-server", 200),
    ("health", "/health/liveness", 200),
    ("health", "/api/check/readiness", 200),
    ("health", "/version", 200),
    ("operations", "/metrics", 200),
];

/// What a stranger finds where a path does not belong; the same as at a path that does not exist.
const NOTHING: &str = "There is nothing at this path.";

#[tokio::test]
async fn each_listener_answers_its_own_paths_alone() {
    let (inner, metrics) = (free_address(), free_address());
    let place = Place::new();
    let settings = format!(
        "listen = \"127.0.0.1:0\"\n[[http.listeners]]\nlisten = \"{inner}\"\n\
         groups = [\"management\", \"identity\", \"issuer\", \"fabric\", \"health\"]\n\
         [[http.listeners]]\nlisten = \"{metrics}\"\ngroups = [\"operations\", \"health\"]\n"
    );
    let server = Server::start(&place, &settings);
    let moved: &[&[&str]] =
        &[&["management", "identity", "issuer", "fabric", "health"], &["operations", "health"]];
    for (group, path, status) in PATHS {
        for (listener, address) in [inner, metrics].into_iter().enumerate() {
            let answer = get(address, path).await;
            let expected = if moved[listener].contains(group) { *status } else { 404 };
            assert_eq!(answer.status, expected, "{path} at {address}: {answer:?}");
            assert_eq!(expected == 404, answer.body.contains(NOTHING), "{answer:?}");
            assert!(answer.head.contains("\r\nx-request-id: "), "{answer:?}");
        }
        let answer = get(server.address(), path).await;
        let belongs = !moved.concat().contains(group);
        assert_eq!(answer.status, if belongs { *status } else { 404 }, "{path} at the main one: {answer:?}");
    }
    // No spelling leads to a path that is elsewhere.
    for path in [
        "/api//mgmt/v5beta/participants",
        "/./metrics",
        "/%6detrics",
        "//metrics",
        "/x/../metrics",
        "/metrics/",
        "/metrics?x",
        "/METRICS",
    ] {
        assert_eq!(get(server.address(), path).await.status, 404, "{path}");
    }
    server.signal(Signal::TERM);
    assert!(timeout(PATIENCE, server.ended()).await.expect("in time").success());
}

/// Data planes find the control plane's signals, and agents what they need, where they are.
#[test]
fn the_story_is_told_although_signals_have_a_listener_of_their_own() {
    let (planes, metrics) = (free_address(), free_address());
    let place = Place::new();
    let settings = format!(
        "listen = \"127.0.0.1:0\"\nallow_private_addresses = false\n\
         [[http.listeners]]\nlisten = \"{planes}\"\ngroups = [\"signaling\"]\n\
         [[http.listeners]]\nlisten = \"{metrics}\"\ngroups = [\"operations\"]\n"
    );
    let server = Server::start(&place, &settings);
    let output =
        place.command(&["demo", "--server", &server.url, "-o", "json"]).output().expect("heddle runs");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), place.log());
    let log = place.log();
    assert!(log.contains("/api/signaling/"), "signals have come: {log}");
}

#[test]
fn a_taken_address_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let settings = format!(
        "listen = \"127.0.0.1:0\"\n[[http.listeners]]\nlisten = \"{address}\"\ngroups = [\"operations\"]\n"
    );
    let said = refused(&Place::new(), &settings);
    assert!(said.contains("in use") && said.contains(&address.port().to_string()), "{said}");
}
