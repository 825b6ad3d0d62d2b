//! The addresses that a server binds, and its certificates.

use std::{net::SocketAddr, path::Path};

use heddle_clock::Environment;
use heddle_outbound::{Outbound, OutboundConfig};
use heddle_web::Tls;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio::net::TcpListener;

use super::{Finding, certificate};
use crate::{config::Configuration, greeting::greet};

/// Whether each address is free, or a server of ours has it.
pub async fn free(configuration: &Configuration, environment: &Environment) -> Vec<Finding> {
    let main = (configuration.listen, configuration.http.certificate.is_some());
    let others = configuration.http.listeners.iter();
    let others = others.map(|listener| (listener.listen, listener.certificate.is_some()));
    let mut findings = Vec::new();
    for (address, secure) in std::iter::once(main).chain(others) {
        findings.push(of_address(address, secure, environment).await);
    }
    findings
}

async fn of_address(address: SocketAddr, secure: bool, environment: &Environment) -> Finding {
    let tried = format!("bind {address} and let it go");
    let error = match TcpListener::bind(address).await {
        Ok(_) => return Finding::ok("listener", tried, "it is free"),
        Err(error) => error,
    };
    if error.kind() != std::io::ErrorKind::AddrInUse {
        let finding = Finding::ok("listener", tried, error.to_string());
        return finding.failure("choose an address of this machine, and a port that this user may bind");
    }
    let host = if address.ip().is_unspecified() {
        SocketAddr::new(loopback(address), address.port())
    } else {
        address
    };
    match is_ours(host, secure, environment).await {
        Some(version) => Finding::ok("listener", tried, format!("Heddle {version} has it")),
        // A certificate is for a name and not for an address, so behind TLS nobody can be told by his answer.
        None if secure => {
            Finding::ok("listener", tried, "it is in use; who has it cannot be told behind TLS")
                .warning("make sure that it is this server that has it")
        }
        None => Finding::ok("listener", tried, "it is in use, and nobody there says that it is Heddle")
            .failure(
                "stop the program that has it, or choose another port; a server of this configuration whose \
                      listener does not answer the group 'health' may stay",
            ),
    }
}

fn loopback(address: SocketAddr) -> std::net::IpAddr {
    match address {
        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    }
}

/// The release that answers there. A listener with a certificate for another name, or one that answers few paths, may
/// not say it; then its TLS, or an answer of any kind, is no proof.
async fn is_ours(address: SocketAddr, secure: bool, environment: &Environment) -> Option<String> {
    let config =
        OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
    let outbound = Outbound::new(config, environment.clone()).ok()?;
    let scheme = if secure { "https" } else { "http" };
    greet(&outbound, &format!("{scheme}://{address}")).await.ok().map(|version| version.version)
}

/// Whether the listeners' certificates can be used, and until when.
pub fn certificates(configuration: &Configuration, environment: &Environment) -> Vec<Finding> {
    let http = &configuration.http;
    let all = http.certificate.iter().chain(http.listeners.iter().filter_map(|l| l.certificate.as_ref()));
    let finding = |files: &heddle_web::CertificateFiles| {
        let tried = format!("read {} and its key", files.certificate.display());
        match Tls::load(files.clone()) {
            Ok(_) => {
                let finding = Finding::ok("listener.certificate", tried, "it can be used");
                certificate::judge(finding, expiry_of(&files.certificate), environment.now())
            }
            Err(error) => Finding::ok("listener.certificate", tried, error.to_string())
                .failure("put a certificate chain and its private key into these files, as PEM"),
        }
    };
    all.map(finding).collect()
}

fn expiry_of(path: &Path) -> Option<heddle_clock::Timestamp> {
    certificate::expiry(&CertificateDer::from_pem_file(path).ok()?)
}
