//! What of a URL, a body or an error may be shown.

use std::{error::Error, time::Duration};

use heddle_clock::Timestamp;
use http::{HeaderMap, header::RETRY_AFTER};
use url::Url;

/// Most of a failed answer's body that is kept, in bytes.
pub(crate) const EXCERPT_BYTES_MAX: usize = 2048;

/// Longest wait that a peer may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// A URL without what may be secret in it: user information, query and fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // A URL that cannot carry user information has none to hide.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    shortened(url.as_str(), 300)
}

/// At most `chars_max` characters of `text`, control characters replaced.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    let mut short: String =
        text.chars().take(chars_max).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(chars_max).is_some() {
        short.push('…');
    }
    short
}

/// An error with its causes, on one line.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    shortened(&text, 500)
}

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), at most an hour.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            (Timestamp::default() + date).since(now)
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        let url = Url::parse("https://me:pass@peer.example/a?token=secret#frag").expect("a URL");
        assert_eq!(shown(&url), "https://peer.example/a");
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        let now = Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").expect("a time");
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().expect("a value"))]);
            retry_after(&headers, now)
        };
        assert_eq!(read("3"), Some(Duration::from_secs(3)));
        assert_eq!(read("Sat, 31 Jan 2026 12:00:09 GMT"), Some(Duration::from_secs(9)));
        assert_eq!(read("Sat, 31 Jan 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("999999999"), Some(RETRY_AFTER_MAX));
        assert_eq!(read("soon"), None);
    }
}
