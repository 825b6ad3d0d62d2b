//! Bounds of time, size and number, over real sockets.

use std::{sync::Arc, time::Duration};

use crate::support::{development, outbound, serve};
use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    response::IntoResponse,
    routing::{get, post},
};
use futures::{StreamExt, future::join_all};
use heddle_outbound::{HostLimits, Lane, OutboundConfig, OutboundError, Request, RetryClass};
use heddle_telemetry::{TraceState, tracestate};
use tokio::sync::{Semaphore, mpsc};

/// A host that tells of each request, and answers as many as it gets leave to.
#[derive(Clone)]
struct Gate {
    arrived: mpsc::UnboundedSender<()>,
    leave: Arc<Semaphore>,
}

async fn gated(State(gate): State<Gate>) -> &'static str {
    gate.arrived.send(()).expect("the test goes on");
    gate.leave.acquire().await.expect("open").forget();
    "done"
}

async fn host() -> (String, mpsc::UnboundedReceiver<()>, Arc<Semaphore>) {
    let (arrived, arrivals) = mpsc::unbounded_channel();
    let leave = Arc::new(Semaphore::new(0));
    let gate = Gate { arrived, leave: leave.clone() };
    let router = Router::new().route("/", get(gated).post(gated)).with_state(gate);
    (serve(router).await, arrivals, leave)
}

fn narrow(requests_max: usize, waiting_max: usize) -> OutboundConfig {
    let per_host = HostLimits { requests_max, streams_max: 1, waiting_max };
    OutboundConfig { per_host, request_timeout: Duration::from_secs(60), ..development() }
}

#[tokio::test]
async fn a_host_gets_so_many_requests_at_a_time_and_others_are_not_held_up() {
    let (slow, mut arrivals, leave) = host().await;
    let quick = serve(Router::new().route("/", get(|| async { "quick" }))).await;
    let outbound = outbound(narrow(3, 5));
    let all = {
        let (outbound, slow) = (outbound.clone(), slow.clone());
        tokio::spawn(join_all((0..8).map(move |_| {
            let (outbound, url) = (outbound.clone(), slow.clone());
            async move { outbound.send(Request::get(url)).await }
        })))
    };
    for _ in 0..3 {
        arrivals.recv().await.expect("three arrive");
    }
    // Three are asked and five wait: the line is full.
    let busy = loop {
        match outbound.send(Request::get(&slow).timeout(Duration::from_millis(50))).await {
            Err(error @ OutboundError::Busy { .. }) => break error,
            // Not all of the eight have joined the line yet.
            Err(OutboundError::Timeout { .. }) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(busy.class(), RetryClass::Retry { after: None });
    assert!(arrivals.try_recv().is_err(), "no fourth request has arrived");
    outbound.send(Request::get(&quick)).await.expect("another host");
    // The other lanes of the busy host are free.
    let message = outbound.send(Request::post(&slow).json(b"{}".to_vec()));
    let proof = outbound.send(Request::post(&slow).json(b"{}".to_vec()).lane(Lane::Proof));
    leave.add_permits(8 + 2);
    let (message, proof) = tokio::join!(message, proof);
    message.expect("answered");
    proof.expect("answered");
    let answers = all.await.expect("no panic");
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn a_stream_keeps_its_place_until_it_is_dropped() {
    let body = || async {
        axum::body::Body::from_stream(
            futures::stream::iter([Ok::<_, std::io::Error>("x")]).chain(futures::stream::pending()),
        )
    };
    let base = serve(Router::new().route("/", get(body))).await;
    let outbound = outbound(narrow(1, 0));
    let mut first = outbound.stream(Request::get(&base)).await.expect("a stream");
    first.next().await.expect("a byte").expect("a byte");
    let busy = outbound.stream(Request::get(&base)).await.expect_err("the place is taken");
    assert!(matches!(busy, OutboundError::Busy { .. }), "{busy}");
    drop(first);
    outbound.stream(Request::get(&base)).await.expect("the place is free");
}

#[tokio::test]
async fn our_own_origins_are_asked_without_limit() {
    let (own, mut arrivals, leave) = host().await;
    let config = OutboundConfig { own_origins: vec![own.clone()], ..narrow(1, 0) };
    let outbound = outbound(config);
    let all = join_all((0..20).map(|_| outbound.send(Request::get(&own))));
    let watch = async {
        for _ in 0..20 {
            arrivals.recv().await.expect("all arrive at once");
        }
        leave.add_permits(20);
    };
    let (answers, ()) = tokio::join!(all, watch);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

/// Two parties that ask each other while they are asked: neither lane waits for the other one.
#[tokio::test]
async fn two_parties_that_want_proof_of_each_other_do_not_wait_for_ever() {
    type Party = (heddle_outbound::Outbound, Arc<std::sync::OnceLock<String>>);
    async fn message(State((outbound, other)): State<Party>) -> impl IntoResponse {
        let proof = format!("{}/proof", other.get().expect("known"));
        outbound
            .send(Request::post(proof).lane(Lane::Proof))
            .await
            .map(|_| "taken")
            .map_err(|e| (http::StatusCode::BAD_GATEWAY, e.to_string()))
    }
    async fn proof(State((outbound, other)): State<Party>) -> impl IntoResponse {
        let lookup = format!("{}/lookup", other.get().expect("known"));
        outbound
            .send(Request::get(lookup))
            .await
            .map(|_| "proof")
            .map_err(|e| (http::StatusCode::BAD_GATEWAY, e.to_string()))
    }
    let mut parties = Vec::new();
    for _ in 0..2 {
        let party: Party = (outbound(narrow(2, 1000)), Arc::default());
        let router = Router::new()
            .route("/message", post(message))
            .route("/proof", post(proof))
            .route("/lookup", get(|| async { "here" }))
            .with_state(party.clone());
        parties.push((party, serve(router).await));
    }
    let (first, second) = (&parties[0], &parties[1]);
    first.0.1.set(second.1.clone()).expect("once");
    second.0.1.set(first.1.clone()).expect("once");
    let all = (0..40).map(|i| {
        let (from, to) = if i % 2 == 0 { (first, second) } else { (second, first) };
        from.0.0.send(Request::post(format!("{}/message", to.1)))
    });
    let answers = join_all(all).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn compressed_answers_are_not_asked_for_and_not_unfolded() {
    let told = |headers: HeaderMap| async move {
        headers["accept-encoding"].to_str().unwrap_or_default().to_owned()
    };
    let bomb = || async { ([("content-encoding", "gzip")], vec![0_u8; 100]) };
    let router = Router::new().route("/", get(told)).route("/bomb", get(bomb));
    let base = serve(router).await;
    let answer = outbound(development()).send(Request::get(&base)).await.expect("an answer");
    assert_eq!(&answer.body()[..], b"identity");
    let error =
        outbound(development()).send(Request::get(format!("{base}/bomb"))).await.expect_err("encoded");
    assert!(matches!(error, OutboundError::Malformed { .. }), "{error}");
    assert!(error.to_string().contains("gzip"), "{error}");
}

#[tokio::test]
async fn what_came_with_the_request_goes_along() {
    let told = |headers: HeaderMap| async move {
        headers.get("tracestate").and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned()
    };
    let base = serve(Router::new().route("/", get(told))).await;
    let outbound = outbound(development());
    let state = TraceState::read(["rojo=00f067aa0ba902b7,congo=t61"]);
    let answer = tracestate::within(state, outbound.send(Request::get(&base))).await.expect("an answer");
    assert_eq!(&answer.body()[..], b"rojo=00f067aa0ba902b7,congo=t61");
    assert_eq!(&outbound.send(Request::get(&base)).await.expect("an answer").body()[..], b"-");
}

/// A silent host costs a connection as long as the limit says, in every phase.
#[tokio::test]
async fn every_phase_has_its_limit() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };
    for sent in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                drop(socket.read(&mut [0; 4096]).await);
                socket.write_all(sent.as_bytes()).await.expect("sent");
                open.push(socket);
            }
        });
        let request = Request::get(&base).timeout(Duration::from_millis(100));
        let error = outbound(development()).send(request).await.expect_err("silence");
        assert!(matches!(error, OutboundError::Timeout { .. }), "{sent}: {error}");
    }
    // A TLS handshake that does not go on counts as a connection that does not come about.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    let config = OutboundConfig {
        connect_timeout: Duration::from_millis(100),
        request_timeout: Duration::from_secs(60),
        ..development()
    };
    let error = outbound(config).send(Request::get(&base)).await.expect_err("silence");
    assert!(matches!(error, OutboundError::Unreachable { .. }), "{error}");
    drop(listener);
}
