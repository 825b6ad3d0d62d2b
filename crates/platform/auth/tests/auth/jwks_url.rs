//! Keys of an identity provider over HTTP.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::StatusCode, response::IntoResponse, routing::get};
use heddle_auth::{JwksUrl, KeySource};
use heddle_clock::FixedClock;
use heddle_jose::{Algorithm, JwkSet, SoftwareKey};
use heddle_outbound::{Outbound, OutboundConfig};
use tokio::net::TcpListener;

use crate::support::clock;

/// What the provider answers (`None` is an error), and how often it was asked.
type Provider = Arc<Mutex<(Option<JwkSet>, u32)>>;

async fn serve(provider: Provider) -> String {
    let answer = move || async move {
        let mut state = provider.lock().expect("unpoisoned");
        state.1 += 1;
        match &state.0 {
            Some(keys) => axum::Json(keys.clone()).into_response(),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    let app = Router::new().route("/jwks", get(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

fn keys(kid: &str) -> JwkSet {
    let key = SoftwareKey::generate(Algorithm::EdDsa).expect("entropy");
    JwkSet { keys: vec![key.public_jwk(Some(kid))] }
}

fn source(origin: &str) -> (FixedClock, JwksUrl) {
    let (clock, environment) = clock();
    let config = OutboundConfig { own_origins: vec![origin.to_owned()], ..OutboundConfig::default() };
    let outbound = Outbound::new(config, environment).expect("a client");
    (clock, JwksUrl::new(format!("{origin}/jwks"), outbound))
}

#[tokio::test]
async fn keys_are_kept_found_anew_and_survive_an_outage() {
    let provider: Provider = Arc::default();
    let origin = serve(provider.clone()).await;
    let (clock, source) = source(&origin);
    let asked = || provider.lock().expect("unpoisoned").1;
    let answers = |keys: Option<JwkSet>| provider.lock().expect("unpoisoned").0 = keys;

    assert!(source.key(Some("k1")).await.is_err(), "no keys were ever had");
    answers(Some(keys("k1")));
    assert!(source.key(Some("k1")).await.is_err(), "it is not asked again at once");
    assert_eq!(asked(), 1);
    clock.advance(Duration::from_secs(5));
    for _ in 0..3 {
        assert!(source.key(Some("k1")).await.expect("there").is_some());
    }
    assert_eq!(asked(), 2, "kept");

    // A new name is looked for at once, though the provider was asked a moment ago.
    answers(Some(keys("k2")));
    assert!(source.key(Some("k2")).await.expect("there").is_some());
    assert_eq!(source.key(Some("k1")).await, Ok(None), "the old one is gone");
    assert_eq!(asked(), 4);
    assert_eq!(source.key(Some("k1")).await, Ok(None));
    assert_eq!(asked(), 4, "that it is absent is remembered");
    clock.advance(Duration::from_secs(5));
    assert_eq!(source.key(Some("k1")).await, Ok(None));
    assert_eq!(asked(), 5, "for a while");

    answers(None);
    clock.advance(Duration::from_secs(301));
    assert!(source.key(Some("k2")).await.expect("there").is_some(), "the provider is down");
    while asked() < 6 {
        tokio::task::yield_now().await;
    }
    assert!(source.key(Some("k2")).await.expect("there").is_some(), "it was asked, behind those who wait");
}

#[tokio::test]
async fn made_up_names_ask_the_provider_no_more_often_than_it_is_fit() {
    let provider: Provider = Arc::default();
    let origin = serve(provider.clone()).await;
    let (clock, source) = source(&origin);
    let asked = || provider.lock().expect("unpoisoned").1;
    provider.lock().expect("unpoisoned").0 = Some(keys("k1"));
    let mut unavailable = 0;
    for n in 0..100 {
        match source.key(Some(&format!("made-up-{n}"))).await {
            Ok(None) => {}
            Err(_) => unavailable += 1,
            Ok(Some(_)) => panic!("there is no such key"),
        }
    }
    assert_eq!(asked(), 5);
    assert_eq!(
        unavailable, 95,
        "whoever was not asked for may be there: that is no reason for a final refusal"
    );
    assert!(source.key(Some("k1")).await.expect("there").is_some(), "what is known goes on");
    clock.advance(Duration::from_secs(5));
    assert!(source.key(Some("made-up-0")).await.is_ok());
    assert_eq!(asked(), 6);
}

#[tokio::test]
async fn a_provider_is_found_by_its_name_and_must_know_it() {
    let provider: Provider = Arc::default();
    provider.lock().expect("unpoisoned").0 = Some(keys("k1"));
    let keys_at = serve(provider.clone()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    let describe = |issuer: String| {
        let body = serde_json::json!({"issuer": issuer, "jwks_uri": format!("{keys_at}/jwks")});
        get(move || async move { axum::Json(body) })
    };
    let app = Router::new()
        .route("/realms/a/.well-known/openid-configuration", describe(format!("{origin}/realms/a")))
        .route("/.well-known/oauth-authorization-server/plain", describe(format!("{origin}/plain")))
        .route("/realms/liar/.well-known/openid-configuration", describe(format!("{origin}/realms/a")));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let config =
        OutboundConfig { own_origins: vec![origin.clone(), keys_at.clone()], ..OutboundConfig::default() };
    let outbound = Outbound::new(config, clock().1).expect("a client");
    for name in ["realms/a", "plain"] {
        let source = JwksUrl::discovered(format!("{origin}/{name}"), outbound.clone());
        assert!(source.key(Some("k1")).await.expect("there").is_some(), "{name}");
    }
    for name in ["realms/liar", "realms/a/", "nowhere"] {
        let source = JwksUrl::discovered(format!("{origin}/{name}"), outbound.clone());
        assert!(source.key(Some("k1")).await.is_err(), "{name}");
    }
}
