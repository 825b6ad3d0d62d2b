//! Server-sent events (WHATWG HTML §9.2), resumable by `Last-Event-ID` or `?after=`.

use std::{convert::Infallible, future::ready, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt, stream};
use heddle_store::{Event, EventCursor, StoreError};
use heddle_telemetry::TraceContext;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Kind, Rejection, Shutdown};

/// What a feed ends with when the access token that it was opened with ends. A client opens it again with a new one, and
/// goes on behind the last event that it has seen.
const EXPIRED: &str = ": end token-expired\n\n";

/// How often a quiet stream says that it is alive; proxies cut off what is silent for a minute.
const ALIVE: Duration = Duration::from_secs(15);

/// One event to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEvent {
    /// Its place: what a client sends back to go on behind it.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// One line of text, usually JSON.
    pub data: String,
}

/// The query parameter by which a client that cannot set headers resumes.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Resume {
    /// The place of the last event that was seen.
    pub after: Option<String>,
}

/// Where a client wants to go on: the header wins over the query; `None` is from now on.
pub fn resume_from(headers: &HeaderMap, query: &Resume) -> Result<Option<u64>, Rejection> {
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let Some(text) = header.or(query.after.as_deref()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let malformed = || Rejection::new(Kind::Malformed, format!("'{text}' is not a place in this feed."));
    text.parse().map(Some).map_err(|_| malformed())
}

/// The `data` of a stored event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventBody<'a> {
    id: String,
    r#type: &'a str,
    at: String,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    payload: &'a RawValue,
}

/// Answers with stored events from behind `place`. An event that cannot be read ends the feed, with a line in the log;
/// the client comes back and is told again.
///
/// `lasts` is how long the caller's token does.
pub fn feed<S>(place: EventCursor, events: S, (shutdown, lasts): (Shutdown, Duration)) -> Response
where
    S: Stream<Item = Result<Event, StoreError>> + Send + 'static,
{
    let shown = events.map(|event| event.as_ref().map_err(ToString::to_string).and_then(shown));
    let readable = shown.take_while(|event| {
        if let Err(error) = event {
            tracing::error!(component = "web", action = "feed", error, "a feed of events ends");
        }
        ready(event.is_ok())
    });
    respond(place.0, readable.filter_map(|event| ready(event.ok())), (shutdown, lasts))
}

fn shown(event: &Event) -> Result<ServerEvent, String> {
    let id = event.cursor.to_string();
    let body = EventBody {
        id: id.clone(),
        r#type: &event.kind,
        at: event.at.to_string(),
        subject: &event.subject,
        trace_id: event.trace.as_ref().map(TraceContext::trace_id),
        payload: serde_json::from_str(&event.payload).map_err(|error| error.to_string())?,
    };
    let data = serde_json::to_string(&body).map_err(|error| error.to_string())?;
    Ok(ServerEvent { id, kind: event.kind.clone(), data })
}

/// Streams events until the client goes away, the server stops, or the time is over that the stream may last. The first
/// line is the comment `: open <place>`, by which a client knows that from here on it misses nothing.
pub fn respond<S>(place: u64, events: S, (shutdown, lasts): (Shutdown, Duration)) -> Response
where
    S: Stream<Item = ServerEvent> + Send + 'static,
{
    let opening = stream::once(ready(format!(": open {place}\n\n")));
    let open = Some((Box::pin(events), Box::pin(tokio::time::sleep(lasts))));
    let texts = stream::unfold(open, |open| async move {
        let (mut events, mut end) = open?;
        let next = tokio::select! {
            biased;
            () = &mut end => return Some((EXPIRED.to_owned(), None)),
            next = tokio::time::timeout(ALIVE, events.next()) => next,
        };
        let text = match next {
            Ok(Some(event)) => text(&event),
            Ok(None) => return None,
            Err(_) => ": alive\n\n".to_owned(),
        };
        Some((text, Some((events, end))))
    });
    let lines = opening.chain(texts).take_until(shutdown.requested()).map(Ok::<_, Infallible>);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(lines)).into_response()
}

fn text(event: &ServerEvent) -> String {
    // A line break would end the field early; JSON has none outside of its texts, where it is escaped.
    let line = |text: &str| text.replace(['\n', '\r'], " ");
    format!("id: {}\nevent: {}\ndata: {}\n\n", line(&event.id), line(&event.kind), line(&event.data))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn the_header_wins_and_nonsense_is_refused() {
        let query = Resume { after: Some("3".to_owned()) };
        let headers = HeaderMap::from_iter([(
            header::HeaderName::from_static("last-event-id"),
            HeaderValue::from_static("7"),
        )]);
        assert_eq!(resume_from(&headers, &query), Ok(Some(7)));
        assert_eq!(resume_from(&HeaderMap::new(), &query), Ok(Some(3)));
        assert_eq!(resume_from(&HeaderMap::new(), &Resume::default()), Ok(None));
        assert!(resume_from(&HeaderMap::new(), &Resume { after: Some("x".to_owned()) }).is_err());
    }

    #[tokio::test]
    async fn events_follow_the_opening_and_the_stop_ends_the_stream() {
        let (stop, shutdown) = Shutdown::pair();
        let event = ServerEvent { id: "8".to_owned(), kind: "a".to_owned(), data: "{}\n".to_owned() };
        let events = stream::once(std::future::ready(event)).chain(stream::pending());
        let mut body = respond(7, events, (shutdown, Duration::from_secs(60))).into_body();
        let mut next = async || {
            let frame = body.frame().await?.expect("infallible");
            Some(String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text"))
        };
        assert_eq!(next().await.as_deref(), Some(": open 7\n\n"));
        assert_eq!(next().await.as_deref(), Some("id: 8\nevent: a\ndata: {} \n\n"));
        stop.stop();
        assert_eq!(next().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_with_the_token_that_opened_it_and_says_so() {
        let (_stop, shutdown) = Shutdown::pair();
        let mut body = respond(7, stream::pending(), (shutdown, Duration::from_secs(20))).into_body();
        let mut lines = Vec::new();
        while lines.len() < 9
            && let Some(frame) = body.frame().await
        {
            lines.extend(frame.expect("infallible").into_data());
        }
        assert_eq!(lines, [": open 7\n\n", ": alive\n\n", EXPIRED]);
    }
}
