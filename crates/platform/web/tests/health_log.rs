//! What the log tells of a component that comes and goes. A process of its own, because the subscriber must be there
//! before any other test has written its first line: whether a line is written is decided when it is first reached.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use axum::{body::Body, extract::Request};
use heddle_web::{
    Shutdown,
    health::{self, Check},
};
use tower::ServiceExt;

/// Fails as often as it is told, and works from then on.
struct Flaky(AtomicU32);

#[async_trait]
impl Check for Flaky {
    fn name(&self) -> &'static str {
        "database"
    }
    async fn check(&self) -> Result<(), String> {
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() { Err("it is away".to_owned()) } else { Ok(()) }
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_tells_of_changes_and_not_of_every_request() {
    let written = Written::default();
    let open = written.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || open.clone()).init();
    let (_stop, shutdown) = Shutdown::pair();
    let router = health::routes(vec![Arc::new(Flaky(AtomicU32::new(3)))], "1", shutdown);
    for expected in [503, 503, 503, 200, 200] {
        let request = Request::builder().uri("/health/readiness").body(Body::empty()).expect("a request");
        assert_eq!(router.clone().oneshot(request).await.expect("infallible").status(), expected);
    }
    let text = String::from_utf8(written.0.lock().expect("unpoisoned").clone()).expect("text");
    assert_eq!((text.lines().count(), text.matches("it is away").count()), (2, 1), "{text}");
}
