//! Data planes, and creations that are repeated.

use serde_json::Value;
use serde_json::json;

use crate::support::{World, asset, data_plane, document};

const P: &str = "/participants/provider";

#[tokio::test]
async fn data_planes_keep_their_secret_in_the_vault() {
    let (world, provider, _) = World::with_participants().await;
    let path = format!("{P}/dataplanes");
    let mut body = data_plane("dp", &json!(["HttpData-PULL"]));
    body["authorization"] = json!({"type": "oauth2_client_credentials", "tokenEndpoint": "http://127.0.0.1:9/t",
        "clientId": "us", "clientSecret": "open sesame"});
    assert_eq!(world.ask("PUT", &path, &provider, Some(&body)).await.is(200).text, "");
    let alias = "data-plane/dp/client-secret";
    let scope = world.scope_of("provider");
    let secret = async || world.vault.secret(&scope, alias).await.expect("a vault");
    assert_eq!(
        secret().await.and_then(|secret| secret.expose_text().map(str::to_owned)).as_deref(),
        Some("open sesame")
    );
    let listed = world.ask("GET", &path, &provider, None).await.is(200);
    assert!(!listed.text.contains("sesame"), "{}", listed.text);
    assert_eq!(listed.json()[0]["allowedTransferTypes"], json!(["HttpData-PULL"]));
    body["authorization"] = json!({"type": "api_key"});
    assert_eq!(
        world.ask("PUT", &path, &provider, Some(&body)).await.refused(400)["path"],
        "/authorization/type"
    );
    world.ask("DELETE", &format!("{path}/dp"), &provider, None).await.is(200);
    assert!(secret().await.is_none());
    world.ask("DELETE", &format!("{path}/dp"), &provider, None).await.refused(404);
}

#[tokio::test]
async fn a_repeated_creation_gets_the_first_answer() {
    let (world, provider, _) = World::with_participants().await;
    let path = format!("{}{P}/assets", crate::support::BASE);
    let send = async |body: &Value, token: &str| {
        let mut request = crate::support::request("POST", &path, &format!("Bearer {token}"), Some(body));
        request.headers_mut().insert("idempotency-key", "k1".parse().expect("a value"));
        world.send(request).await
    };
    // Without an id each creation makes another asset, unless it is the same one.
    let body = document("Asset", json!({"properties": {"name": "n"}}));
    let first = send(&body, &provider).await.is(200);
    let second = send(&body, &provider).await.is(200);
    assert_eq!(first.text, second.text);
    assert_eq!(second.headers["idempotency-replayed"], "true");
    send(&asset("b", &json!({})), &provider).await.refused(422);
    // Keys belong to whoever chose them.
    assert_ne!(send(&body, &world.admin).await.is(200).text, first.text);
    let all = world.ask("POST", &format!("{P}/assets/request"), &provider, None).await.is(200).json();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
}
