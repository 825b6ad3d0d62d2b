//! When a certificate expires.

use std::{
    net::{TcpStream, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heddle_clock::Timestamp;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::Finding;

/// How long connecting, and each step of the handshake, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Certificates that expire sooner should have been renewed.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// When a certificate ends to be valid (X.509, RFC 5280 section 4.1.2.5); `None` for what is no certificate.
pub fn expiry(certificate: &[u8]) -> Option<Timestamp> {
    let (_, whole, _) = element(certificate)?;
    let (_, signed, _) = element(whole)?;
    let mut rest = signed;
    // An explicit version, if there is one, then serial number, algorithm and issuer.
    let (tag, _, after) = element(rest)?;
    if tag == 0xA0 {
        rest = after;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest)?;
    let (_, _, after) = element(validity)?;
    let (tag, time, _) = element(after)?;
    let text = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    let (century, digits) = match (tag, text.len()) {
        // Two digits of the year: 50 and later are of the last century.
        (0x17, 12) if text.get(..1)? >= "5" => ("19", text),
        (0x17, 12) => ("20", text),
        (0x18, 14) => ("", text),
        _ => return None,
    };
    let all = format!("{century}{digits}");
    let part = |from: usize, to: usize| all.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    Timestamp::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

/// Tag, content and what follows of the first element of DER.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7F);
        if count > 4 {
            return None;
        }
        length = rest.get(..count)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = rest.get(count..)?;
    }
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// What an expiry means at a moment.
pub fn judge(finding: Finding, ends: Option<Timestamp>, now: Timestamp) -> Finding {
    let Some(ends) = ends else {
        return finding.warning("look at the certificate: its expiry cannot be read");
    };
    let left = ends.since(now);
    if left.is_zero() {
        let happened = format!("it has expired, at {ends}");
        return Finding { happened, ..finding }
            .failure("renew the certificate; a running server takes the new one by itself");
    }
    let happened = format!("{}; it expires at {ends}", finding.happened);
    let finding = Finding { happened, ..finding };
    if left < SOON { finding.warning("renew the certificate") } else { finding }
}

/// Believes everybody, and remembers the certificate. It is asked nothing else: a request that is sent somewhere is
/// sent by the client that checks.
#[derive(Debug)]
struct Witness {
    provider: CryptoProvider,
    seen: Mutex<Option<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _staple: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a server shows: its certificate's expiry. Whether its chain is believed is said by a real request beside this.
/// Blocks.
///
/// # Errors
/// What kept it from showing one.
pub fn shown_by(host: &str, port: u16) -> Result<Option<Timestamp>, String> {
    let provider = ring::default_provider();
    let witness = Arc::new(Witness { provider: provider.clone(), seen: Mutex::new(None) });
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(witness.clone())
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let io = |error: std::io::Error| error.to_string();
    let address = (host, port).to_socket_addrs().map_err(io)?.next().ok_or("its name has no address")?;
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE).map_err(io)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(io)?;
    socket.set_write_timeout(Some(PATIENCE)).map_err(io)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).map_err(io)?;
    }
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(seen.and_then(|certificate| expiry(&certificate)))
}
