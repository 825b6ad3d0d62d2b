//! Certificates of a listener, and taking new ones while it runs.
//!
//! A certificate and its key are two files that somebody else writes, and not at the same moment. What is there is taken
//! when it fits together; until then, and whenever it cannot be used, the old certificate stays and the log says so once.
//! Connections that are there stay as they are.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

/// The files of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, followed by those of the authorities between it and the root (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM; PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
}

/// Files that cannot be used. Each is a sentence that says what to do; none quotes what is in them.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the {what} file {} cannot be read: {source}; name a readable PEM file", path.display())]
    Unreadable {
        /// Which of the two.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("the {what} file {} holds no {what}: {reason}; it must be PEM, with a line -----BEGIN …-----", path.display())]
    Malformed {
        /// Which of the two.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong, without its content.
        reason: String,
    },
    /// The key is not that of the certificate, or of a kind that is not known.
    #[error(
        "the key in {} cannot be used with the certificate in {}: {reason}; name the certificate's own key \
         (RSA, ECDSA or Ed25519), and the certificate itself before those of its authorities",
        files.key.display(), files.certificate.display()
    )]
    Unfit {
        /// The files.
        files: CertificateFiles,
        /// Why not.
        reason: String,
    },
}

/// What came of looking at the files again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// They are what they were.
    Unchanged,
    /// New connections get the new certificate.
    Renewed,
    /// They cannot be used; the old certificate stays.
    Kept,
}

/// A certificate that can be renewed.
pub struct Tls {
    files: CertificateFiles,
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    /// What was in the files when they were looked at last, usable or not.
    seen: Mutex<Contents>,
}

/// The contents of both files, or why one of them could not be read.
#[derive(Clone, PartialEq, Eq)]
struct Contents {
    certificate: Result<Vec<u8>, io::ErrorKind>,
    key: Result<Vec<u8>, io::ErrorKind>,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// When they cannot be read, or do not fit together.
    pub fn load(files: CertificateFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let seen = Contents::of(&files);
        let current = Arc::new(Current(RwLock::new(Arc::new(read(&files, &provider)?))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Unfit { files: files.clone(), reason: error.to_string() })?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        warn_if_exposed(&files.key);
        Ok(Self { files, acceptor: TlsAcceptor::from(Arc::new(config)), current, seen: Mutex::new(seen) })
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &CertificateFiles {
        &self.files
    }

    /// Whether there is something else in the files than when they were looked at last.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) != Contents::of(&self.files)
    }

    /// Looks at the files again, and takes what is there if it is new and can be used. It blocks as long as reading two
    /// small files does.
    pub fn reload(&self) -> Reloaded {
        let now = Contents::of(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return Reloaded::Unchanged;
        }
        *seen = now;
        let certificate = self.files.certificate.display();
        match read(&self.files, &ring::default_provider()) {
            Ok(key) => {
                *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                tracing::info!(component = "web", action = "certificate.renewed", %certificate, "a new certificate is used");
                Reloaded::Renewed
            }
            Err(error) => {
                tracing::error!(
                    component = "web",
                    action = "certificate.kept",
                    %certificate,
                    reason = %error,
                    "the new certificate cannot be used; the old one stays"
                );
                Reloaded::Kept
            }
        }
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.files).finish()
    }
}

impl Contents {
    fn of(files: &CertificateFiles) -> Self {
        let read = |path: &Path| std::fs::read(path).map_err(|error| error.kind());
        Self { certificate: read(&files.certificate), key: read(&files.key) }
    }
}

fn read(files: &CertificateFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let text = |what, path: &PathBuf| {
        std::fs::read(path).map_err(|source| TlsError::Unreadable { what, path: path.clone(), source })
    };
    let malformed =
        |what, path: &PathBuf, reason: String| TlsError::Malformed { what, path: path.clone(), reason };
    let certificates = text("certificate", &files.certificate)?;
    let chain = CertificateDer::pem_slice_iter(&certificates).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| malformed("certificate", &files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(malformed("certificate", &files.certificate, "nothing like one is in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&text("key", &files.key)?)
        .map_err(|error| malformed("key", &files.key, error.to_string()))?;
    CertifiedKey::from_der(chain, key, provider)
        .map_err(|error| TlsError::Unfit { files: files.clone(), reason: error.to_string() })
}

/// A key that everybody on the machine can read is used all the same: that is how some systems hand out theirs.
fn warn_if_exposed(key: &Path) {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata(key).is_ok_and(|metadata| metadata.mode() & 0o007 != 0) {
        tracing::warn!(
            component = "web",
            action = "certificate.exposed",
            key = %key.display(),
            "everybody on this machine can use this private key; take the rights of others away (chmod o= …)"
        );
    }
}
