//! TLS: which versions are spoken, and certificates that are renewed while connections are there.

use std::{path::Path, sync::Arc};

use axum::{Router, http::Version, routing::get};
use heddle_web::{CertificateFiles, Reloaded, ServerLimits, Tls, TlsError};
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::Server;

/// Writes a new certificate for `peer.example` and its key; gives the certificate.
fn write(files: &CertificateFiles) -> CertificateDer<'static> {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["peer.example".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("signed");
    std::fs::write(&files.certificate, certificate.pem()).expect("written");
    std::fs::write(&files.key, key.serialize_pem()).expect("written");
    certificate.der().clone()
}

fn in_folder(folder: &Path) -> CertificateFiles {
    CertificateFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key") }
}

async fn connect(
    server: &Server,
    trusted: &CertificateDer<'static>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a root");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = "peer.example".try_into().expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, server.connect().await).await
}

fn spoken() -> Router {
    Router::new().route("/", get(|version: Version| async move { format!("{version:?}") }))
}

async fn ask<S: AsyncReadExt + AsyncWriteExt + Unpin>(stream: &mut S) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut text = String::new();
    while !text.ends_with("HTTP/1.1\n") && !text.ends_with("\r\n\r\nHTTP/1.1") {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).await.expect("read");
        assert_ne!(read, 0, "closed: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    text
}

#[tokio::test]
async fn both_versions_are_offered_and_the_client_chooses() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = in_folder(folder.path());
    let certificate = write(&files);
    let server =
        Server::secure(spoken(), ServerLimits::default(), Arc::new(Tls::load(files).expect("usable"))).await;
    let mut old = connect(&server, &certificate, &["http/1.1"]).await.expect("believed");
    assert_eq!(old.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    ask(&mut old).await;
    let mut none = connect(&server, &certificate, &[]).await.expect("believed");
    ask(&mut none).await;
    let new = connect(&server, &certificate, &["h2", "http/1.1"]).await.expect("believed");
    assert_eq!(new.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) = h2::client::handshake(new).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = http::Request::get("https://peer.example/").body(()).expect("a request");
    let (answer, _) = client.send_request(request, true).expect("sent");
    let mut body = answer.await.expect("a head").into_body();
    assert_eq!(&body.data().await.expect("a body").expect("whole")[..], b"HTTP/2.0");
    connection.abort();
    let unknown = connect(&server, &certificate, &["spdy/3"]).await;
    assert!(unknown.is_err(), "no version in common");
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_connections_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = in_folder(folder.path());
    let first = write(&files);
    let tls = Arc::new(Tls::load(files.clone()).expect("usable"));
    let server = Server::secure(spoken(), ServerLimits::default(), tls.clone()).await;
    let mut kept = connect(&server, &first, &["http/1.1"]).await.expect("believed");
    ask(&mut kept).await;
    assert_eq!(tls.reload(), Reloaded::Unchanged);
    let second = write(&files);
    assert!(connect(&server, &second, &[]).await.is_err(), "nobody has looked at the files yet");
    assert_eq!(tls.reload(), Reloaded::Renewed);
    connect(&server, &second, &[]).await.expect("the new one");
    assert!(connect(&server, &first, &[]).await.is_err(), "the old one is not used any more");
    ask(&mut kept).await;
}

#[tokio::test]
async fn files_that_cannot_be_used_leave_the_old_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = in_folder(folder.path());
    let first = write(&files);
    let tls = Arc::new(Tls::load(files.clone()).expect("usable"));
    let server = Server::secure(spoken(), ServerLimits::default(), tls.clone()).await;
    let key = std::fs::read(&files.key).expect("read");
    for (certificate, key_text) in [(None, Some("nonsense")), (Some("nonsense"), None), (Some(""), None)] {
        for (path, text) in [(&files.certificate, certificate), (&files.key, key_text)] {
            if let Some(text) = text {
                std::fs::write(path, text).expect("written");
            }
        }
        assert_eq!(tls.reload(), Reloaded::Kept);
        assert_eq!(tls.reload(), Reloaded::Unchanged, "it is said once");
        connect(&server, &first, &[]).await.expect("the old one");
    }
    std::fs::remove_file(&files.certificate).expect("removed");
    assert_eq!(tls.reload(), Reloaded::Kept);
    // A certificate whose key has not come yet.
    let second = write(&files);
    let second_key = std::fs::read(&files.key).expect("read");
    std::fs::write(&files.key, &key).expect("written");
    assert_eq!(tls.reload(), Reloaded::Kept);
    connect(&server, &first, &[]).await.expect("the old one");
    std::fs::write(&files.key, second_key).expect("written");
    assert_eq!(tls.reload(), Reloaded::Renewed);
    connect(&server, &second, &[]).await.expect("the new one");
}

#[test]
fn files_that_cannot_be_used_are_told_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = in_folder(folder.path());
    let error = |files: &CertificateFiles| Tls::load(files.clone()).expect_err("unusable");
    assert!(matches!(error(&files), TlsError::Unreadable { what: "certificate", .. }));
    write(&files);
    let other = CertificateFiles { key: folder.path().join("other.key"), ..files.clone() };
    assert!(matches!(error(&other), TlsError::Unreadable { what: "key", .. }));
    std::fs::write(&other.key, KeyPair::generate().expect("a key").serialize_pem()).expect("written");
    assert!(matches!(error(&other), TlsError::Unfit { .. }), "{}", error(&other));
    std::fs::write(&other.key, "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n")
        .expect("written");
    assert!(!error(&other).to_string().contains("s3cret"), "{}", error(&other));
    let swapped = CertificateFiles { certificate: files.key.clone(), key: files.certificate };
    assert!(
        matches!(error(&swapped), TlsError::Malformed { what: "certificate", .. }),
        "{}",
        error(&swapped)
    );
}

/// Whoever connects and begins no handshake, or none that ends, holds no place for ever.
#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = in_folder(folder.path());
    write(&files);
    let limits =
        ServerLimits { head_read_timeout: std::time::Duration::from_millis(100), ..ServerLimits::default() };
    let server = Server::secure(spoken(), limits, Arc::new(Tls::load(files).expect("usable"))).await;
    for beginning in [&b""[..], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(beginning).await.expect("sent");
        let mut rest = Vec::new();
        let closed =
            tokio::time::timeout(std::time::Duration::from_secs(60), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "{beginning:?} kept the connection");
    }
}
