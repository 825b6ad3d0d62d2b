//! Where a redirect leads, and whether to go there (RFC 9110 §15.4).

use http::{HeaderMap, Method, StatusCode, header};

use crate::{
    OutboundError, Refusal, excerpt,
    guard::{Guard, Target},
};

/// Whether an answer points elsewhere.
pub(crate) fn redirects(status: StatusCode) -> bool {
    status.is_redirection() && status != StatusCode::NOT_MODIFIED
}

/// Whether a request may be sent again elsewhere: nothing but reading is.
pub(crate) fn may_follow(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The next place to ask, checked like the first. Never from `https` to `http`, and never from outside to one of the
/// installation's own origins: nobody else tells us what to ask ourselves. Without a place the answer is final.
pub(crate) fn next(
    guard: &Guard,
    from: &Target,
    status: StatusCode,
    headers: &HeaderMap,
) -> Option<Result<Target, OutboundError>> {
    let followed = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location =
        headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).filter(|_| followed)?;
    let refused = |url: String, reason| Err(OutboundError::Refused { url, reason });
    let url = match from.url.join(location) {
        Ok(url) => url,
        Err(error) => {
            return Some(refused("a malformed redirect".to_owned(), Refusal::NotAUrl(error.to_string())));
        }
    };
    let shown = excerpt::shown(&url);
    if from.url.scheme() == "https" && url.scheme() == "http" {
        return Some(refused(shown, Refusal::Downgrade));
    }
    let checked = guard.check(url.as_str());
    Some(match checked {
        Ok(target) if target.own && !from.own => refused(shown, Refusal::Inward),
        other => other,
    })
}

/// Whether credentials that were meant for one place may be shown at another.
pub(crate) fn same_origin(one: &Target, other: &Target) -> bool {
    one.url.origin() == other.url.origin()
}
