//! Reading request bodies, bounded in size and time.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;

use crate::{
    Kind, Rejection,
    pace::{Pace, TooSlow},
};

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

/// What a body must keep to on its way here, whoever reads it. Without that, clients that send a head and never a body
/// would hold places for ever.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arrival {
    /// All of it has arrived within this time from the first look at it.
    Within(Duration),
    /// It arrives as long as it arrives, and in each window of waiting so many bytes have come.
    Moving(Duration, usize),
}

/// A body that keeps to its [`Arrival`], or ends with an error.
pub(crate) struct TimedBody {
    body: Body,
    limit: Limit,
}

enum Limit {
    Within(Duration, Option<Pin<Box<Sleep>>>),
    Moving(Pace),
}

impl TimedBody {
    pub(crate) fn new(body: Body, arrival: Arrival) -> Self {
        let limit = match arrival {
            Arrival::Within(patience) => Limit::Within(patience, None),
            Arrival::Moving(window, bytes_min) => Limit::Moving(Pace::new(window, bytes_min)),
        };
        Self { body, limit }
    }
}

impl hyper::body::Body for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let (Limit::Moving(pace), Some(Ok(frame))) = (&mut self.limit, &frame) {
                pace.moved(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(frame);
        }
        match &mut self.limit {
            Limit::Within(patience, deadline) => {
                let patience = *patience;
                let deadline = deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
                ready!(deadline.as_mut().poll(context));
            }
            Limit::Moving(pace) => {
                let TooSlow = ready!(pace.waiting(context));
            }
        }
        let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the body did not arrive in time");
        Poll::Ready(Some(Err(axum::Error::new(late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_arriving_breaks_off_and_one_that_arrives_does_not() {
        use futures::{StreamExt, stream};
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"a"))]);
        let stuck = Body::from_stream(first.chain(stream::pending()));
        let timed = TimedBody::new(stuck, Arrival::Within(Duration::from_secs(1)));
        assert!(timed.collect().await.is_err());
        let whole = TimedBody::new(Body::from("ab"), Arrival::Within(Duration::from_secs(1)));
        assert_eq!(whole.collect().await.expect("arrives").to_bytes().as_ref(), b"ab");
    }

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
