//! The id of a request: the client's, if it sends one that can be used, or a new one. It stands in the answer
//! (`X-Request-Id`), in every line of the log that the request leaves, and in what is said about our own defects.

use std::future::Future;

use heddle_clock::Environment;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header, in requests and answers.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a client, in bytes.
const BYTES_MAX: usize = 128;

/// An id: 1 to 128 letters, digits and `-._~+/=:@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// That of a request with these headers. One that is too long, has other characters, or is given twice is not ours
    /// to repeat: it ends up in logs.
    #[must_use]
    pub fn of(headers: &HeaderMap, environment: &Environment) -> Self {
        let mut values = headers.get_all(&X_REQUEST_ID).iter();
        let only = values.next().filter(|_| values.next().is_none());
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=:@".contains(&byte);
        let known = only
            .and_then(|value| value.to_str().ok())
            .filter(|text| (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(legal));
        Self(known.map_or_else(|| environment.uuid(), str::to_owned))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of the request that the running task works on.
#[must_use]
pub fn current() -> Option<RequestId> {
    CURRENT.try_with(Clone::clone).ok()
}

pub(crate) fn within<F: Future>(id: RequestId, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(id, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static [u8]]) -> String {
        let value = |bytes: &&'static [u8]| (X_REQUEST_ID, HeaderValue::from_bytes(bytes).expect("a value"));
        RequestId::of(&values.iter().map(value).collect(), &Environment::system()).0
    }

    #[test]
    fn a_usable_id_is_kept_and_every_other_one_replaced() {
        assert_eq!(of(&[b"7f76b70e-a6ea/5973:x"]), "7f76b70e-a6ea/5973:x");
        let long: &'static [u8] = vec![b'a'; 129].leak();
        let bad: [&[&'static [u8]]; 8] =
            [&[], &[b""], &[b"a b"], &[b"a\"b"], &[b"\xc3\xa4"], &[b"a{}"], &[b"a", b"a"], &[long]];
        for bad in bad {
            let id = of(bad);
            assert_eq!(id.len(), 36, "{id}");
            assert_ne!(id, of(bad), "a new one each time");
        }
    }
}
