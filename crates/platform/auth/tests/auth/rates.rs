//! How many requests the token endpoint answers.

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use heddle_auth::{NewClient, TokenPolicy, TokenRefusal, endpoints};
use heddle_vault::Secret;
use tower::ServiceExt;

use crate::support::{World, request};

fn policy() -> TokenPolicy {
    TokenPolicy {
        client_requests_per_minute: 6,
        address_requests_per_minute: 4,
        trusted_proxies: vec!["10.0.0.1".parse().expect("legal")],
        ..TokenPolicy::default()
    }
}

#[tokio::test]
async fn a_client_that_asks_all_the_time_is_told_when_to_come_back() {
    let world = World::with(policy()).await;
    let scope = world.participant("acme");
    let first = world.client(&scope, NewClient::participant()).await.expect("made");
    let second = world.client(&scope, NewClient::participant()).await.expect("made");
    for n in 0..6 {
        assert!(world.service.token(request(&first, None)).await.is_ok(), "{n}");
    }
    let refused = world.service.token(request(&first, None)).await.map(|_| ());
    let Err(TokenRefusal::TooManyRequests { retry_after, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(retry_after.as_secs(), 10);
    assert!(world.token(&second).await.is_ok(), "another client of the same context");
    world.clock.advance(retry_after);
    assert!(world.token(&first).await.is_ok());
}

#[tokio::test]
async fn who_does_not_know_the_secret_uses_up_nothing_of_the_clients() {
    let world = World::with(policy()).await;
    let scope = world.participant("acme");
    let client = world.client(&scope, NewClient::participant()).await.expect("made");
    assert!(world.service.token(request(&client, None)).await.is_ok(), "it is known");
    for n in 0..20 {
        let mut guess = request(&client, None);
        guess.client.client_secret = Secret::from_text(format!("guess {n}"));
        assert!(world.service.token(guess).await.is_err(), "{n}");
    }
    for n in 0..5 {
        assert!(world.service.token(request(&client, None)).await.is_ok(), "{n}");
    }
}

#[tokio::test]
async fn an_address_that_asks_all_the_time_is_told_when_to_come_back() {
    let world = World::with(policy()).await;
    let router = endpoints::router(world.service.clone());
    let ask = async |peer: &str, forwarded: &str| {
        let peer: SocketAddr = format!("{peer}:4711").parse().expect("an address");
        let mut request = Request::post(endpoints::TOKEN_PATH).header("x-forwarded-for", forwarded);
        request.extensions_mut().expect("legal").insert(ConnectInfo(peer));
        let request = request.body(Body::empty()).expect("a request");
        let response = router.clone().oneshot(request).await.expect("infallible");
        let retry_after =
            response.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
        (response.status(), retry_after)
    };
    for n in 0..4 {
        assert_eq!(ask("192.0.2.1", &n.to_string()).await.0, StatusCode::BAD_REQUEST, "it is looked at");
    }
    let refused = ask("192.0.2.1", "198.51.100.1").await;
    assert_eq!(refused, (StatusCode::TOO_MANY_REQUESTS, Some("15".to_owned())), "whatever it says of itself");
    assert_eq!(ask("192.0.2.2", "").await.0, StatusCode::BAD_REQUEST, "another address");
    // Behind a proxy of ours everybody is counted alone.
    for _ in 0..4 {
        assert_eq!(ask("10.0.0.1", "198.51.100.1").await.0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(ask("10.0.0.1", "198.51.100.1").await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("10.0.0.1", "198.51.100.2").await.0, StatusCode::BAD_REQUEST);
    world.clock.advance(std::time::Duration::from_secs(15));
    assert_eq!(ask("192.0.2.1", "").await.0, StatusCode::BAD_REQUEST, "one has come back");
}
