//! Keys of an identity provider over HTTP.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::StatusCode, response::IntoResponse, routing::get};
use heddle_auth::{JwksUrl, KeySource};
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

#[tokio::test]
async fn keys_are_kept_found_anew_and_survive_an_outage() {
    let provider: Provider = Arc::default();
    let origin = serve(provider.clone()).await;
    let (clock, environment) = clock();
    let config = OutboundConfig { own_origins: vec![origin.clone()], ..OutboundConfig::default() };
    let source =
        JwksUrl::new(format!("{origin}/jwks"), Outbound::new(config, environment).expect("a client"));
    let asked = || provider.lock().expect("unpoisoned").1;
    let answers = |keys: Option<JwkSet>| provider.lock().expect("unpoisoned").0 = keys;

    assert!(source.key(Some("k1")).await.is_err(), "no keys were ever had");
    answers(Some(keys("k1")));
    assert!(source.key(Some("k1")).await.is_err(), "it is not asked again at once");
    clock.advance(Duration::from_secs(5));
    for _ in 0..3 {
        assert!(source.key(Some("k1")).await.expect("there").is_some());
    }
    assert_eq!(asked(), 2, "kept");

    answers(Some(keys("k2")));
    for _ in 0..3 {
        assert_eq!(source.key(Some("k2")).await, Ok(None), "asked a moment ago");
    }
    clock.advance(Duration::from_secs(5));
    assert!(source.key(Some("k2")).await.expect("there").is_some(), "a new name is looked for");
    assert_eq!(source.key(Some("k1")).await, Ok(None), "the old one is gone");
    assert_eq!(asked(), 3);

    answers(None);
    clock.advance(Duration::from_secs(301));
    assert!(source.key(Some("k2")).await.expect("there").is_some(), "the provider is down");
    assert_eq!(asked(), 4);
}
