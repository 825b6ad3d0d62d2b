//! A collector that is away, in a process of its own: the log of this process is under test.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use heddle_clock::Environment;
use heddle_telemetry::{spans, trace};
use heddle_telemetry_otlp::{Exporter, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An address where nobody listens.
async fn nowhere() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    socket.local_addr().expect("it is bound").to_string()
}

/// Takes requests there, and says that one has come.
async fn takes_one(address: &str) -> String {
    let socket = TcpListener::bind(address).await.expect("the port is still free");
    let (mut stream, _) = socket.accept().await.expect("somebody comes");
    let mut head = vec![0; 64 * 1024];
    let read = stream.read(&mut head).await.expect("it is readable");
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .await
        .expect("it is written");
    String::from_utf8_lossy(&head[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_costs_one_line_of_the_log() {
    let environment = Environment::system();
    let address = nowhere().await;
    let settings = Settings {
        endpoint: Some(format!("http://{address}")),
        export_interval: Duration::from_millis(5),
        ..Settings::default()
    };
    let settings = settings.complete(|_| None).expect("legal").expect("there is somewhere");
    let mut exporter = Exporter::new(settings, "1.2.3", &environment).expect("legal");
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone()).boxed();
    let layers = vec![log, exporter.listener().expect("spans are sent")];
    tracing_subscriber::registry().with(layers).init();
    let (asked, mut asks) = tokio::sync::mpsc::unbounded_channel();
    exporter.send_numbers(Arc::new(move || {
        asked.send(()).ok();
        "# TYPE a_total counter\na_total 1\n".to_owned()
    }));

    // More spans than the queue holds: nobody waits, and a step has its place in its trace all the same.
    let parent = trace::TraceContext::begin(&environment);
    for _ in 0..40_000 {
        let span = tracing::info_span!(target: spans::ONLY, "lost", otel.kind = "internal");
        let step = spans::step(&span, Some(parent), &environment);
        assert_eq!(step.trace_id(), parent.trace_id());
        assert_ne!(step, parent);
    }
    for _ in 0..20 {
        asks.recv().await.expect("numbers are asked for");
    }
    let text = || String::from_utf8(lines.0.lock().expect("unpoisoned").clone()).expect("a text");
    let told = |what: &str| text().lines().filter(|line| line.contains(what)).count();
    assert_eq!(told("the collector does not take messages"), 1, "{}", text());

    let head = takes_one(&address).await;
    assert!(head.starts_with("POST /v1/"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    while told("the collector takes messages again") == 0 {
        asks.recv().await.expect("numbers are asked for");
    }
    exporter.stop().await;
    assert!(text().lines().filter(|line| line.contains("export")).count() <= 3, "{}", text());
}
