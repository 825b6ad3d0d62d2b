//! What happens on one connection: how many requests are under way, and which answers nobody takes.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::Version;
use hyper::body::{Frame, SizeHint};
use tokio::{sync::Notify, time::Instant};

/// Shared by a connection's task and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    begun: Notify,
}

#[derive(Debug)]
struct State {
    version: Option<Version>,
    requests: u64,
    /// Requests under way, and since when a part of the answer waits to be taken.
    open: HashMap<u64, Option<Instant>>,
    quiet_since: Instant,
}

/// One request under way, until its answer is sent or given up.
#[derive(Debug)]
pub(super) struct Lease {
    activity: Arc<Activity>,
    request: u64,
}

impl Activity {
    pub fn new() -> Arc<Self> {
        let state = State { version: None, requests: 0, open: HashMap::new(), quiet_since: Instant::now() };
        Arc::new(Self { state: Mutex::new(state), begun: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come.
    pub fn enter(self: &Arc<Self>, version: Version) -> Lease {
        let mut state = self.state();
        state.version = Some(version);
        state.requests += 1;
        let request = state.requests;
        state.open.insert(request, None);
        self.begun.notify_one();
        Lease { activity: self.clone(), request }
    }

    /// Returns when the first request has come.
    pub async fn begun(&self) {
        while self.state().version.is_none() {
            self.begun.notified().await;
        }
    }

    /// Whether requests share the connection. Before the first one nobody knows.
    pub fn is_shared(&self) -> bool {
        self.state().version == Some(Version::HTTP_2)
    }

    /// How long no request has been under way.
    pub fn quiet_for(&self) -> Option<Duration> {
        let state = self.state();
        state.open.is_empty().then(|| state.quiet_since.elapsed())
    }

    /// Whether an answer waits for longer than `patience` to be taken.
    pub fn has_stalled(&self, patience: Duration) -> bool {
        self.state().open.values().flatten().any(|since| since.elapsed() >= patience)
    }
}

impl Lease {
    fn offered(&self, since: Option<Instant>) {
        if let Some(known) = self.activity.state().open.get_mut(&self.request) {
            *known = since;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.open.remove(&self.request);
        state.quiet_since = Instant::now();
    }
}

/// The body of an answer, which notes whether it is taken.
pub(super) struct Watched {
    body: Body,
    lease: Lease,
}

impl Watched {
    pub fn new(body: Body, lease: Lease) -> Self {
        Self { body, lease }
    }
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // Whoever asks for more has taken what he got.
        let next = Pin::new(&mut self.body).poll_frame(context);
        self.lease.offered(next.is_ready().then(Instant::now));
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
