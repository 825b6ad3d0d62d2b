//! HTTPS: whom we believe, and which version of HTTP is spoken (ALPN, RFC 7301).

use std::{net::SocketAddr, path::Path, sync::Arc};

use axum::{Router, http::Version, routing::get, serve::Listener};
use heddle_outbound::{OutboundConfig, OutboundError, Request};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, rustls, server::TlsStream};

use crate::support::{Names, development, named};

/// A listener that speaks TLS.
struct Secure(TcpListener, TlsAcceptor);

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (socket, peer) = self.0.accept().await.expect("a connection");
            // Who does not believe our certificate hangs up.
            if let Ok(stream) = self.1.accept(socket).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A server for `peer.example` that speaks `protocols`, and its port. The authority is written to `roots`.
async fn serve(protocols: &[&str], roots: &Path) -> u16 {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("signed");
    std::fs::write(roots, authority.pem()).expect("written");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["peer.example".to_owned()]).expect("a name");
    let certificate = certificate.signed_by(&key, &authority).expect("signed");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a pair");
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let version = |version: Version| async move { format!("{version:?}") };
    let router = Router::new().route("/", get(version));
    let listener = Secure(listener, TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

const NAMES: Names = Names(&[("peer.example", "127.0.0.1"), ("other.example", "127.0.0.1")]);

#[tokio::test]
async fn the_newest_version_that_both_speak_is_spoken() {
    let folder = tempfile::tempdir().expect("a folder");
    let roots = folder.path().join("roots.pem");
    for (protocols, spoken) in [
        (&["h2", "http/1.1"][..], "HTTP/2.0"),
        (&["h2"], "HTTP/2.0"),
        (&["http/1.1"], "HTTP/1.1"),
        (&[], "HTTP/1.1"),
    ] {
        let port = serve(protocols, &roots).await;
        let outbound = named(OutboundConfig { extra_roots: Some(roots.clone()), ..development() }, NAMES);
        let answer =
            outbound.send(Request::get(format!("https://peer.example:{port}/"))).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(answer.body()), spoken, "{protocols:?}");
    }
}

#[tokio::test]
async fn nobody_is_believed_without_a_certificate_for_the_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let roots = folder.path().join("roots.pem");
    let port = serve(&["http/1.1"], &roots).await;
    let stranger = named(development(), NAMES);
    let known = named(OutboundConfig { extra_roots: Some(roots), ..development() }, NAMES);
    for (outbound, name) in [(&stranger, "peer.example"), (&known, "other.example")] {
        let error =
            outbound.send(Request::get(format!("https://{name}:{port}/"))).await.expect_err("not believed");
        assert!(matches!(error, OutboundError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}
