//! The method `did:web`: a DID stands for the location of its document, and a location for its DID.
//!
//! Both directions are inverse to each other for every location that they accept. Whether the host may be
//! contacted is not judged here.

use crate::{Did, DidError};

/// The scheme of a document's URL. The method says HTTPS; plain HTTP is for development and test suites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// `https`.
    #[default]
    Https,
    /// `http`.
    Http,
}

impl Scheme {
    /// The scheme's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

const DOCUMENT: &str = "did.json";
const WELL_KNOWN: &str = ".well-known";

/// The URL of the document: `did:web:h%3A7083:x` is at `https://h:7083/x/did.json`, and `did:web:h` at
/// `https://h/.well-known/did.json`.
///
/// # Errors
/// [`DidError::Method`] for other methods; [`DidError::Location`] for user information, a bad port or host,
/// empty segments, and segments that could change the path (`..`, an encoded slash, dot, percent or control
/// character).
pub fn url_of(did: &Did, scheme: Scheme) -> Result<String, DidError> {
    let (authority, segments) = location_of(did)?;
    let scheme = scheme.name();
    if segments.is_empty() {
        return Ok(format!("{scheme}://{authority}/{WELL_KNOWN}/{DOCUMENT}"));
    }
    Ok(format!("{scheme}://{authority}/{}/{DOCUMENT}", segments.join("/")))
}

/// The DID whose document is at this location. `host` is that of the request, with its port if it has one;
/// `path` is the path of the URL as it was received (percent-encoded), ending in `/did.json`.
///
/// # Errors
/// [`DidError::Location`] when no `did:web` is at that location.
pub fn did_of(host: &str, path: &str) -> Result<Did, DidError> {
    let directory = path
        .strip_prefix('/')
        .and_then(|path| path.strip_suffix(DOCUMENT))
        .and_then(|path| path.strip_suffix('/'))
        .ok_or(DidError::Location("its path does not end in /did.json below a directory"))?;
    let host = host.to_ascii_lowercase();
    if host.contains('%') {
        return Err(DidError::Location("its host has an illegal character"));
    }
    let mut text = format!("did:web:{}", host.replace(':', "%3A"));
    if directory != WELL_KNOWN {
        for segment in directory.split('/') {
            // A colon would become a border between segments on the way back.
            if segment.contains(':') {
                return Err(DidError::Location("its path has a colon"));
            }
            text.push(':');
            text.push_str(segment);
        }
    }
    let did =
        Did::parse(&text).map_err(|_| DidError::Location("its host or path has an illegal character"))?;
    location_of(&did)?;
    Ok(did)
}

/// Host with port, and the segments of the path.
fn location_of(did: &Did) -> Result<(String, Vec<&str>), DidError> {
    if did.method() != "web" {
        return Err(DidError::Method(did.method().to_owned()));
    }
    let mut parts = did.method_specific_id().split(':');
    let authority = authority(parts.next().unwrap_or_default())?;
    let segments: Vec<&str> = parts.collect();
    if segments == [WELL_KNOWN] {
        // Its document would be at the location of the DID without a path.
        return Err(DidError::Location("its path is '.well-known', which is reserved"));
    }
    segments.iter().try_for_each(|segment| check_segment(segment))?;
    Ok((authority, segments))
}

fn authority(encoded: &str) -> Result<String, DidError> {
    let lower = encoded.to_ascii_lowercase();
    let (host, port) = match lower.split_once("%3a") {
        Some((host, port)) => (host, Some(port)),
        None => (lower.as_str(), None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(DidError::Location("its host is not a host name"));
    }
    match port {
        None => Ok(host.to_owned()),
        Some(port) if is_port(port) => Ok(format!("{host}:{port}")),
        Some(_) => Err(DidError::Location("its port is not a number from 1 to 65535")),
    }
}

fn is_port(text: &str) -> bool {
    let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    plain && text.parse::<u16>().is_ok()
}

/// The grammar of DIDs has been checked already: letters, digits, `.`, `-`, `_` and `%` with two digits.
fn check_segment(segment: &str) -> Result<(), DidError> {
    if segment.is_empty() {
        return Err(DidError::Location("its path has an empty segment"));
    }
    if segment == "." || segment == ".." {
        return Err(DidError::Location("its path has a dot segment"));
    }
    let encoded = segment.split('%').skip(1).filter_map(|rest| u8::from_str_radix(rest.get(..2)?, 16).ok());
    for byte in encoded {
        if byte.is_ascii_control() || b"/\\.%".contains(&byte) {
            return Err(DidError::Location(
                "its path has an encoded slash, dot, percent or control character",
            ));
        }
    }
    Ok(())
}
