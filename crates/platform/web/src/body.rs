//! Reading request bodies, bounded in size and time.

use std::time::Duration;

use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{Kind, Rejection};

/// The bounds of one surface; it travels with the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    pub body_bytes_max: usize,
    pub body_read_timeout: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { body_bytes_max: 1024 * 1024, body_read_timeout: Duration::from_secs(20) }
    }
}

/// Reads the whole body of a request that must be JSON.
pub(crate) async fn json_text(request: Request) -> Result<Bytes, Rejection> {
    check_media_type(request.headers())?;
    let limits = request.extensions().get::<BodyLimits>().copied().unwrap_or_default();
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes_max as u64) {
        return Err(too_large(limits));
    }
    let reading = Limited::new(request.into_body(), limits.body_bytes_max).collect();
    match tokio::time::timeout(limits.body_read_timeout, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits)),
        Ok(Err(_)) => Err(Rejection::new(Kind::Malformed, "The body broke off.")),
        Err(_) => Err(Rejection::new(
            Kind::Slow,
            format!("The body did not arrive within {} s.", limits.body_read_timeout.as_secs()),
        )),
    }
}

fn too_large(limits: BodyLimits) -> Rejection {
    Rejection::new(Kind::TooLarge, format!("The body has more than {} bytes.", limits.body_bytes_max))
}

/// `application/json` and everything that is JSON by its suffix (RFC 6839 §3.1), such as `application/ld+json`.
/// Without a media type the body speaks for itself.
fn check_media_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let is_json =
        essence.strip_prefix("application/").is_some_and(|rest| rest == "json" || rest.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    Err(Rejection::new(Kind::WrongMediaType, "The body must have the media type application/json."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_by_any_name_is_accepted_and_nothing_else() {
        let check = |value: &'static str| {
            let value = http::HeaderValue::from_static(value);
            check_media_type(&HeaderMap::from_iter([(header::CONTENT_TYPE, value)])).is_ok()
        };
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/ld+json",
            "application/x+json",
        ] {
            assert!(check(good), "{good}");
        }
        for bad in
            ["text/plain", "application/x-www-form-urlencoded", "text/json", "json", "", "application/jsonx"]
        {
            assert!(!check(bad), "{bad}");
        }
        assert!(check_media_type(&HeaderMap::new()).is_ok());
    }
}
