//! An HTTP origin, as a participant describes it.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, Uri, header};
use serde::{Deserialize, Serialize};

/// Most headers that go along with each request to an origin.
const HEADERS_MAX: usize = 32;
/// Longest base URL, in bytes.
const URL_BYTES_MAX: usize = 4096;
/// Longest header value, in bytes.
const VALUE_BYTES_MAX: usize = 4096;

/// Headers that belong to the connection or to the message, or that are secret: not for a description.
const RESERVED: [HeaderName; 14] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("traceparent"),
];

/// An HTTP resource. What opens it is not here: that lies in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpOrigin {
    /// The URL that is asked as it is.
    pub(crate) base_url: String,
    /// Headers that go along with each request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// Whether an Authorization value goes along, too.
    pub(crate) authorized: bool,
}

/// Why a description is refused, with a JSON pointer to what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct HttpOriginError {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

impl HttpOrigin {
    /// Checks a description. Whether the URL may be asked at all is decided when it is asked.
    pub(crate) fn new(
        base_url: String,
        headers: BTreeMap<String, String>,
        authorized: bool,
    ) -> Result<Self, HttpOriginError> {
        check_url(&base_url)?;
        if headers.len() > HEADERS_MAX {
            return Err(refused("/headers", format!("A source has at most {HEADERS_MAX} headers.")));
        }
        for (name, value) in &headers {
            check_header(name, value)?;
        }
        Ok(Self { base_url, headers, authorized })
    }

    /// The headers, as they are sent.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
    }
}

fn refused(pointer: impl Into<String>, message: impl Into<String>) -> HttpOriginError {
    HttpOriginError { pointer: pointer.into(), message: message.into() }
}

fn check_url(url: &str) -> Result<(), HttpOriginError> {
    let at = |message: &str| Err(refused("/baseUrl", message));
    if url.len() > URL_BYTES_MAX {
        return at("The base URL is too long.");
    }
    let Ok(uri) = url.parse::<Uri>() else { return at("The base URL is not a URL.") };
    let Some(authority) = uri.authority() else { return at("The base URL must name a host.") };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return at("The base URL must begin with http:// or https://.");
    }
    if authority.as_str().contains('@') {
        return at("The base URL must not carry a user name or a password; use 'authorization'.");
    }
    Ok(())
}

fn check_header(name: &str, value: &str) -> Result<(), HttpOriginError> {
    let pointer = || format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
    let Ok(parsed) = name.parse::<HeaderName>() else {
        return Err(refused(pointer(), "This is not the name of a header."));
    };
    if RESERVED.contains(&parsed) {
        let why = "This header is not for a source; an Authorization value goes into 'authorization'.";
        return Err(refused(pointer(), why));
    }
    if value.len() > VALUE_BYTES_MAX || HeaderValue::from_str(value).is_err() {
        return Err(refused(pointer(), "The value cannot be sent in a header."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(url: &str, headers: &[(&str, &str)]) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpOrigin::new(url.to_owned(), headers, false).err().map(|error| error.pointer)
    }

    #[test]
    fn a_description_is_checked_and_says_where_it_is_wrong() {
        assert_eq!(pointer("https://a.example/x?y=1", &[("Accept-Language", "de")]), None);
        for url in ["", "/x", "ftp://a.example/", "file:///etc/passwd", "https://u:p@a.example/", "https://"]
        {
            assert_eq!(pointer(url, &[]).as_deref(), Some("/baseUrl"), "{url}");
        }
        for (name, value) in
            [("Host", "x"), ("authorization", "x"), ("x", "a\nb"), ("Transfer-Encoding", "x")]
        {
            let found = pointer("https://a.example/", &[(name, value)]);
            assert_eq!(found, Some(format!("/headers/{name}")));
        }
        assert_eq!(pointer("https://a.example/", &[("a/b", "x")]).as_deref(), Some("/headers/a~1b"));
    }
}
