//! W3C Trace Context (Level 1) §3.3: `tracestate`, what the tracing systems of others want carried along.

use std::{fmt, future::Future, sync::Arc};

/// The HTTP header that carries a [`TraceState`].
pub const TRACESTATE: &str = "tracestate";

/// Most members of a list (§3.3.1.1).
const MEMBERS_MAX: usize = 32;
/// Most bytes that are handed on; the least that the specification asks for (§3.3.1.5).
const BYTES_MAX: usize = 512;
/// Members longer than this go first when there are too many bytes (§3.3.1.5).
const LONG_MEMBER: usize = 128;
/// Longest key and value (§3.3.1.3).
const PART_BYTES_MAX: usize = 256;

/// The members of others, as they were received. Ours is none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceState(Arc<str>);

impl TraceState {
    /// Reads the values of all `tracestate` headers of a message, in their order. Malformed ones are as good as none
    /// (§3.3), and so are empty ones.
    #[must_use]
    pub fn read<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut members: Vec<&str> = Vec::new();
        for member in values.into_iter().flat_map(|value| value.split(',')) {
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            let known =
                members.iter().any(|other| other.split_once('=').is_some_and(|(known, _)| known == key));
            if known || members.len() == MEMBERS_MAX || !is_key(key) || !is_value(value) {
                return None;
            }
            members.push(member);
        }
        let bytes = |members: &[&str]| members.iter().map(|member| member.len() + 1).sum::<usize>();
        if bytes(&members) > BYTES_MAX + 1 {
            members.retain(|member| member.len() <= LONG_MEMBER);
        }
        while bytes(&members) > BYTES_MAX + 1 {
            // The newest ones stand first.
            members.pop();
        }
        (!members.is_empty()).then(|| Self(members.join(",").into()))
    }

    /// The value of a header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_key(key: &str) -> bool {
    let legal = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/".contains(&b))
    };
    let (tenant, system) = key.split_once('@').map_or((key, None), |(tenant, system)| (tenant, Some(system)));
    key.len() <= PART_BYTES_MAX && legal(tenant) && system.is_none_or(legal)
}

fn is_value(value: &str) -> bool {
    let legal = |b: u8| matches!(b, b' '..=b'~') && b != b',' && b != b'=';
    (1..=PART_BYTES_MAX).contains(&value.len()) && value.bytes().all(legal)
}

impl fmt::Debug for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceState({})", self.0)
    }
}

tokio::task_local! {
    static CURRENT: Option<TraceState>;
}

/// What came with the request that the running task works on, if it was entered by [`within`].
#[must_use]
pub fn current() -> Option<TraceState> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// Runs `work` with what came with its request.
pub fn within<F: Future>(state: Option<TraceState>, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(state, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        TraceState::read(values.iter().copied()).map(|state| state.as_str().to_owned())
    }

    #[test]
    fn members_keep_their_order_over_several_headers() {
        let state = read(&["congo=t61rcWkgMzE , rojo=00f067aa0ba902b7", "", " fw529a3039@dt=FfAcg;1, "]);
        assert_eq!(state.as_deref(), Some("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7,fw529a3039@dt=FfAcg;1"));
        assert_eq!(read(&["", " , "]), None);
    }

    #[test]
    fn what_is_malformed_is_not_handed_on() {
        let many: Vec<String> = (0..33).map(|i| format!("k{i}=v")).collect();
        let long = format!("k={}", "v".repeat(257));
        for bad in
            ["a", "a=", "=b", "A=b", "a=b,a=c", "a@=b", "a=b=c", "a=\u{e9}", "a b=c", &many.join(","), &long]
        {
            assert_eq!(read(&[bad]), None, "{bad}");
        }
    }

    #[test]
    fn what_is_too_long_loses_its_longest_and_then_its_oldest() {
        let long = format!("long={}", "v".repeat(200));
        let others: Vec<String> = (0..6).map(|i| format!("k{i}={}", "v".repeat(80))).collect();
        let kept = read(&[&long, &others.join(",")]).expect("some are kept");
        assert!(kept.len() <= 512 && !kept.contains("long") && kept.starts_with("k0="), "{kept}");
        assert_eq!(kept.split(',').count(), 6);
        let more: Vec<String> = (0..12).map(|i| format!("k{i}={}", "v".repeat(80))).collect();
        assert_eq!(read(&[&more.join(",")]).expect("some").split(',').count(), 6);
    }

    #[tokio::test]
    async fn the_state_ends_with_its_work() {
        let state = TraceState::read(["a=b"]);
        assert_eq!(within(state.clone(), async { current() }).await, state);
        assert_eq!(current(), None);
    }
}
