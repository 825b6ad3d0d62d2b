//! HTTPS, and certificates that change while the server runs.

use std::fs;

use heddle_clock::Environment;
use heddle_outbound::{Outbound, OutboundConfig, OutboundError, Request};
use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use tokio::time::timeout;

use crate::server::{PATIENCE, Place, Server, refused, text};

/// Writes a new certificate for this machine, and its key; the certificate is its own authority.
fn renew(place: &Place) -> String {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let certificate = certificate.self_signed(&key).expect("signed").pem();
    fs::write(place.path("tls.key"), key.serialize_pem()).expect("written");
    fs::write(place.path("tls.crt"), &certificate).expect("written");
    certificate
}

/// A client with no connection yet, which trusts one certificate.
fn client(place: &Place, certificate: &str) -> Outbound {
    let roots = place.path("roots.pem");
    fs::write(&roots, certificate).expect("written");
    let config = OutboundConfig {
        allow_private_addresses: true,
        extra_roots: Some(roots),
        ..OutboundConfig::default()
    };
    Outbound::new(config, Environment::system()).expect("a client")
}

async fn ask(client: &Outbound, server: &Server) -> Result<(), OutboundError> {
    client.send(Request::get(format!("{}/version", server.url)).timeout(PATIENCE)).await.map(drop)
}

const SETTINGS: &str =
    "listen = \"127.0.0.1:0\"\n[http]\ncertificate_file = \"tls.crt\"\nkey_file = \"tls.key\"\n";

#[tokio::test]
async fn a_certificate_is_renewed_while_the_server_runs() {
    let place = Place::new();
    let first = renew(&place);
    let server = Server::start(&place, SETTINGS);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let kept = client(&place, &first);
    ask(&kept, &server).await.expect("believed");

    // By a signal.
    let second = renew(&place);
    server.signal(Signal::HUP);
    place.logged("a new certificate is used", 1).await;
    ask(&client(&place, &second), &server).await.expect("the new one");
    assert!(ask(&client(&place, &first), &server).await.is_err(), "the old one is not used any more");
    ask(&kept, &server).await.expect("the connection from before is kept");

    // What cannot be used leaves the old one, and is said once.
    fs::write(place.path("tls.crt"), "nonsense").expect("written");
    server.signal(Signal::HUP);
    place.logged("the new certificate cannot be used", 1).await;
    server.signal(Signal::HUP);
    place.logged("the certificates are read again", 3).await;
    ask(&client(&place, &second), &server).await.expect("the old one");

    // By looking at the files.
    let third = renew(&place);
    place.logged("a new certificate is used", 2).await;
    ask(&client(&place, &third), &server).await.expect("the new one");
    assert_eq!(place.log().matches("the new certificate cannot be used").count(), 1);

    server.signal(Signal::TERM);
    assert!(timeout(PATIENCE, server.ended()).await.expect("in time").success());
}

#[test]
fn files_that_cannot_be_used_are_told_at_the_start() {
    let place = Place::new();
    let said = refused(&place, SETTINGS);
    assert!(
        said.contains("certificate file") && said.contains("tls.crt") && said.contains("cannot be read"),
        "{said}"
    );
    renew(&place);
    fs::write(place.path("tls.key"), KeyPair::generate().expect("a key").serialize_pem()).expect("written");
    let said = refused(&place, SETTINGS);
    assert!(
        said.contains("cannot be used with the certificate") && said.contains(text(&place.path("tls.key"))),
        "{said}"
    );
}
