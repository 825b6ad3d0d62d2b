//! Encryption on the way to the server.
//!
//! Whether it is used is said by `sslmode` in the URL (`disable`, `prefer`, which is the default, or `require`). Where
//! it is used, the server's certificate and name are checked, always.

use std::{path::Path, sync::Arc};

use heddle_store::StoreError;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A connector that trusts the system's certificate authorities, and those in the PEM file `more`.
pub(crate) fn connector(more: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = RootCertStore::empty();
    // A system without authorities is none to fail on: the server may be asked for no encryption.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = more {
        let refused = |error: &dyn std::fmt::Display| StoreError::Unusable {
            reason: format!("the certificate authorities in '{}' cannot be used: {error}", path.display()),
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| refused(&e))? {
            roots.add(certificate.map_err(|e| refused(&e))?).map_err(|e| refused(&e))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| StoreError::Unusable { reason: format!("TLS cannot be set up: {e}") })?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
}
