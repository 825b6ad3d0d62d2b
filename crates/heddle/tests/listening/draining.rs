//! SIGTERM under load.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rustix::process::Signal;
use tokio::{sync::Notify, time::timeout};

use crate::{
    client::{Client, get},
    server::{PATIENCE, Place, Server},
};

/// It writes a line of the access log for each request, and needs the database.
const PATH: &str = "/oauth/jwks";
const CLIENTS: usize = 200;

/// Hundreds of kept connections, none of which rests. Every request that is sent is answered whole, the last one of each
/// connection with the word that it is the last; none is worked on and not answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_request() {
    // Once with time for others to notice, once without.
    for seconds in [2, 0] {
        let place = Place::new();
        let server =
            Server::start(&place, &format!("listen = \"127.0.0.1:0\"\n[http]\nleave_seconds = {seconds}\n"));
        let address = server.address();
        assert_eq!(get(address, "/health/readiness").await.status, 200);
        let (under_load, warm) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let clients: Vec<_> =
            (0..CLIENTS).map(|_| tokio::spawn(work(address, under_load.clone(), warm.clone()))).collect();
        under_load.notified().await;
        server.signal(Signal::TERM);
        if seconds > 0 {
            place.logged("the server leaves", 1).await;
            let readiness = get(address, "/health/readiness").await;
            assert_eq!(readiness.status, 503, "{readiness:?}");
            assert!(readiness.is_last(), "{readiness:?}");
            assert_eq!(
                get(address, "/health/liveness").await.status,
                200,
                "it is alive, and takes connections"
            );
        }
        let (mut answered, mut unanswered) = (0, 0);
        for client in clients {
            let (some, none) = timeout(PATIENCE, client).await.expect("in time").expect("whole answers");
            answered += some;
            unanswered += none;
        }
        let status = timeout(PATIENCE, server.ended()).await.expect("in time");
        assert!(status.success(), "{status}");
        let log = place.log();
        let handled =
            log.lines().filter(|line| line.contains(&format!("GET {PATH}")) && line.contains("answered"));
        assert_eq!(handled.count(), answered, "whatever was worked on was answered");
        // Without time to notice, a client that the machine keeps from sending for a while meets a closed connection.
        assert!(seconds == 0 || unanswered == 0, "and every request that was sent was worked on");
        assert!(!log.contains("when patience ended"), "{log}");
    }
}

/// Asks until the server says that it was the last time; gives how many requests were answered, and how many not.
async fn work(
    address: std::net::SocketAddr,
    under_load: Arc<Notify>,
    warm: Arc<AtomicUsize>,
) -> (usize, usize) {
    let mut client = Client::connect(address).await;
    let mut answered = 0;
    loop {
        let Some(answer) = client.get(PATH).await else { return (answered, 1) };
        assert_eq!(answer.status, 200, "{answer:?}");
        answered += 1;
        if answered == 3 && warm.fetch_add(1, Ordering::SeqCst) + 1 == CLIENTS {
            under_load.notify_one();
        }
        if answer.is_last() {
            return (answered, 0);
        }
    }
}

#[tokio::test]
async fn a_second_signal_ends_the_wait_for_others() {
    let place = Place::new();
    let server = Server::start(&place, "listen = \"127.0.0.1:0\"\n[http]\nleave_seconds = 300\n");
    server.signal(Signal::TERM);
    place.logged("the server leaves", 1).await;
    assert_eq!(get(server.address(), "/health/readiness").await.status, 503);
    server.signal(Signal::INT);
    assert!(timeout(PATIENCE, server.ended()).await.expect("long before five minutes are over").success());
}
