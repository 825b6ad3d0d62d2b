//! Proxies of the environment. A test cannot change its own environment, so it starts itself again with another one.

use std::{env, process::Stdio, time::Duration};

use axum::{Router, routing::get};
use heddle_outbound::Request;
use tokio::{net::TcpListener, process::Command, time::timeout};

use crate::support::{development, outbound, serve};

/// Where the second process finds the server.
const SERVER: &str = "HEDDLE_TEST_SERVER";

#[tokio::test]
async fn proxies_of_the_environment_are_not_used() {
    if let Ok(server) = env::var(SERVER) {
        let answer = outbound(development()).send(Request::get(server)).await.expect("reached directly");
        assert_eq!(&answer.body()[..], b"direct");
        return;
    }
    let server = serve(Router::new().route("/", get(|| async { "direct" }))).await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let there = format!("http://{}", proxy.local_addr().expect("an address"));
    let mut again = Command::new(env::current_exe().expect("this test"));
    again.args(["--exact", "proxies::proxies_of_the_environment_are_not_used", "--test-threads=1"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        again.env(name, &there).env(name.to_lowercase(), &there);
    }
    again.env(SERVER, &server).env_remove("NO_PROXY").env_remove("no_proxy").stdout(Stdio::null());
    let status = timeout(Duration::from_secs(60), again.status()).await.expect("it ends").expect("it runs");
    assert!(status.success(), "the second process did not reach the server directly");
    let asked = timeout(Duration::ZERO, proxy.accept()).await;
    assert!(asked.is_err(), "nobody has asked the proxy");
}
