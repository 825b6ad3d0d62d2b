//! W3C Trace Context (Level 1): `traceparent` in and out.

use std::{fmt, future::Future, str::FromStr};

use heddle_clock::Environment;
use serde::{Deserialize, Serialize};

/// The HTTP header that carries a [`TraceContext`].
pub const TRACEPARENT: &str = "traceparent";

/// One position in a trace: the trace's id and the id of the step that is under way.
///
/// Its text is the value of a `traceparent` header (W3C Trace Context §3.2), version 00.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    sampled: bool,
}

/// A text that is no `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTraceparent;

impl fmt::Display for InvalidTraceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a traceparent: expected 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")
    }
}

impl std::error::Error for InvalidTraceparent {}

impl TraceContext {
    /// The beginning of a new trace.
    #[must_use]
    pub fn begin(environment: &Environment) -> Self {
        Self { trace_id: environment.random(), span_id: environment.random(), sampled: true }
    }

    /// The step with these ids; `None` when one of them is zero, which no id may be.
    #[must_use]
    pub fn from_ids(trace_id: [u8; 16], span_id: [u8; 8], sampled: bool) -> Option<Self> {
        (trace_id != [0; 16] && span_id != [0; 8]).then_some(Self { trace_id, span_id, sampled })
    }

    /// The ids of the trace and of the step, and whether the trace is recorded.
    #[must_use]
    pub const fn ids(&self) -> ([u8; 16], [u8; 8], bool) {
        (self.trace_id, self.span_id, self.sampled)
    }

    /// The next step of the same trace.
    #[must_use]
    pub fn child(&self, environment: &Environment) -> Self {
        Self { span_id: environment.random(), ..*self }
    }

    /// The step that `header` continues, or a new trace when it is absent or malformed.
    #[must_use]
    pub fn continue_or_begin(header: Option<&str>, environment: &Environment) -> Self {
        match header.and_then(|text| text.parse::<Self>().ok()) {
            Some(parent) => parent.child(environment),
            None => Self::begin(environment),
        }
    }

    /// The trace's id: 32 lower-case hex digits, the same in every log line of every party.
    #[must_use]
    pub fn trace_id(&self) -> String {
        hex(&self.trace_id)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        text
    })
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N * 2 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; N];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    bytes.iter().any(|b| *b != 0).then_some(bytes)
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", hex(&self.trace_id), hex(&self.span_id), u8::from(self.sampled))
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        let mut parts = text.split('-');
        let (Some(version), Some(trace), Some(span), Some(flags)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidTraceparent);
        };
        // A later version begins as this one does and may say more (§3.2.4); ff is none.
        let later = version.len() == 2 && version != "ff" && u8::from_str_radix(version, 16).is_ok();
        let ends = parts.next().is_none();
        if !(later && (ends || version != "00")) || flags.len() != 2 {
            return Err(InvalidTraceparent);
        }
        let flags = u8::from_str_radix(flags, 16).map_err(|_| InvalidTraceparent)?;
        let (trace_id, span_id) = unhex(trace).zip(unhex(span)).ok_or(InvalidTraceparent)?;
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

impl Serialize for TraceContext {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The trace that the running task belongs to, if it was entered by [`within`].
#[must_use]
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|context| *context).ok()
}

/// Runs `work` as a part of the trace `context`.
pub fn within<F: Future>(context: TraceContext, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(context, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_child_keeps_the_trace_and_changes_the_step() {
        let environment = Environment::system();
        let parent: TraceContext = EXAMPLE.parse().expect("legal");
        let child = TraceContext::continue_or_begin(Some(EXAMPLE), &environment);
        assert_eq!(parent.to_string(), EXAMPLE);
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child, parent);
    }

    #[test]
    fn malformed_headers_begin_a_new_trace() {
        let environment = Environment::system();
        for bad in [
            "",
            "00-x-y-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "01-a",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(bad.parse::<TraceContext>(), Err(InvalidTraceparent), "{bad}");
            let fresh = TraceContext::continue_or_begin(Some(bad), &environment);
            assert_ne!(fresh.trace_id(), "00000000000000000000000000000000");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later: TraceContext =
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be"
                .parse()
                .expect("legal");
        assert_eq!(later.to_string(), EXAMPLE);
    }

    #[tokio::test]
    async fn the_current_trace_ends_with_its_work() {
        let context: TraceContext = EXAMPLE.parse().expect("legal");
        assert_eq!(within(context, async { current() }).await, Some(context));
        assert_eq!(current(), None);
    }
}
