//! What the client may do, and its bounds.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use url::{Origin, Url};

use crate::{Allowed, HostLimits};

/// Settings of [`crate::Outbound`]. The defaults are those of production.
#[derive(Debug, Clone)]
pub struct OutboundConfig {
    /// Whether `http://` is allowed besides `https://`. Meant for development and for private networks.
    pub allow_http: bool,
    /// Whether all addresses of private networks are allowed, loopback among them. Meant for development, and for
    /// dataspaces inside of one network; link-local addresses, where clouds hand out credentials, are never among them.
    pub allow_private_addresses: bool,
    /// Networks and hosts that are allowed although their addresses are not public.
    pub allow: Vec<Allowed>,
    /// Ports that are allowed, but for own origins.
    pub ports: Vec<RangeInclusive<u16>>,
    /// How many requests one host gets at a time; own origins get as many as there are.
    pub per_host: HostLimits,
    /// Origins of this installation, such as `https://heddle.example:8443`: always allowed, whatever their
    /// scheme and address.
    pub own_origins: Vec<String>,
    /// Time for a whole request, from looking the name up to the last byte of the answer, unless the request
    /// names its own.
    pub request_timeout: Duration,
    /// Time for a connection, with its TLS handshake.
    pub connect_timeout: Duration,
    /// Time without a byte after which a streamed body counts as broken off.
    pub idle_timeout: Duration,
    /// Largest body of an answer that is read as a whole, in bytes.
    pub body_bytes_max: usize,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// A PEM file of certificate authorities to trust besides those of the operating system.
    pub extra_roots: Option<PathBuf>,
}

impl Default for OutboundConfig {
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_private_addresses: false,
            allow: Vec::new(),
            // Below 1024 live other protocols, some of which take an HTTP request for one of theirs.
            ports: vec![80..=80, 443..=443, 1024..=u16::MAX],
            per_host: HostLimits::default(),
            own_origins: Vec::new(),
            request_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(30),
            body_bytes_max: 1024 * 1024,
            user_agent: concat!("heddle/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_roots: None,
        }
    }
}

/// Settings with which no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// An own origin is no origin.
    #[error("'{0}' is not an origin: write scheme, host and port, such as https://heddle.example:8443")]
    Origin(String),
    /// The file of certificate authorities cannot be used.
    #[error("the certificate authorities in '{path}' cannot be used: {reason}; name a readable PEM file")]
    Roots {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The client itself cannot be made.
    #[error(
        "no HTTPS client can be made: {0}; install the operating system's package of certificate authorities \
         (often 'ca-certificates'), or name a PEM file of them"
    )]
    Client(String),
}

pub(crate) fn origin(text: &str) -> Result<Origin, InvalidConfig> {
    let invalid = || InvalidConfig::Origin(text.to_owned());
    let url = Url::parse(text).map_err(|_| invalid())?;
    match url.origin() {
        tuple @ Origin::Tuple(..) if matches!(url.scheme(), "http" | "https") => Ok(tuple),
        _ => Err(invalid()),
    }
}
