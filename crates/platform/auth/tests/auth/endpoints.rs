//! The token service over HTTP.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use heddle_auth::{ClientCredentials, NewClient, endpoints};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{AUDIENCE, World};

async fn call(world: &World, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let response = endpoints::router(world.service.clone()).oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn post(authorization: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let request =
        Request::post(endpoints::TOKEN_PATH).header("content-type", "application/x-www-form-urlencoded");
    let request = match authorization {
        Some(value) => request.header("authorization", value),
        None => request,
    };
    request.body(body.into()).expect("a request")
}

fn basic(client: &ClientCredentials) -> String {
    let secret = client.client_secret.expose_text().expect("text");
    format!("Basic {}", STANDARD.encode(format!("{}:{secret}", client.client_id)))
}

#[tokio::test]
async fn tokens_are_given_by_header_and_by_form() {
    let world = World::new().await;
    let client = world.client(&world.participant("acme"), NewClient::participant()).await.expect("made");
    let secret = client.client_secret.expose_text().expect("text");
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", client.client_id);
    let by_header = post(Some(&basic(&client)), "grant_type=client_credentials");
    for request in [by_header, post(None, form)] {
        let (status, headers, body) = call(&world, request).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 600);
        let token = body["access_token"].as_str().expect("text");
        assert!(world.auth.authenticate(token).await.is_ok());
    }
}

#[tokio::test]
async fn refusals_are_those_of_the_specification() {
    let world = World::new().await;
    let client = world.client(&world.participant("acme"), NewClient::participant()).await.expect("made");
    let header = basic(&client);
    let grant = "grant_type=client_credentials";
    let wrong = format!("Basic {}", STANDARD.encode(format!("{}:wrong", client.client_id)));
    let long = format!("{grant}&x={}", "x".repeat(16 * 1024));
    let cases = [
        (post(Some(&wrong), grant), StatusCode::UNAUTHORIZED, "invalid_client"),
        (post(None, grant), StatusCode::UNAUTHORIZED, "invalid_client"),
        (post(Some(&header), ""), StatusCode::BAD_REQUEST, "invalid_request"),
        (post(Some(&header), "grant_type=password"), StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        (
            post(Some(&header), format!("{grant}&scope=management-api:admin")),
            StatusCode::BAD_REQUEST,
            "invalid_scope",
        ),
        (post(Some(&header), format!("{grant}&client_secret=x")), StatusCode::BAD_REQUEST, "invalid_request"),
        (post(Some(&header), vec![0xFF, b'=', 0xFE]), StatusCode::BAD_REQUEST, "invalid_request"),
        (post(Some(&header), long), StatusCode::BAD_REQUEST, "invalid_request"),
    ];
    for (request, expected, error) in cases {
        let (status, headers, body) = call(&world, request).await;
        assert_eq!((status, body["error"].as_str()), (expected, Some(error)), "{body}");
        assert_eq!(headers["cache-control"], "no-store", "{error}");
        assert_eq!(headers.contains_key("www-authenticate"), status == StatusCode::UNAUTHORIZED);
        assert!(body["error_description"].is_string());
    }
}

#[tokio::test]
async fn too_many_attempts_are_told_when_to_come_back() {
    let world = World::new().await;
    let client = world.client(&world.participant("acme"), NewClient::participant()).await.expect("made");
    let wrong = format!("Basic {}", STANDARD.encode(format!("{}:wrong", client.client_id)));
    let mut last = StatusCode::OK;
    let mut retry_after = None;
    for _ in 0..11 {
        let (status, headers, _) = call(&world, post(Some(&wrong), "grant_type=client_credentials")).await;
        (last, retry_after) = (status, headers.get("retry-after").cloned());
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(retry_after.expect("a time"), "60");
}

#[tokio::test]
async fn the_service_describes_itself_and_publishes_no_private_key() {
    let world = World::new().await;
    let get = |path| Request::get(path).body(Body::empty()).expect("a request");
    let (status, _, metadata) = call(&world, get(endpoints::METADATA_PATH)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(metadata["issuer"], AUDIENCE);
    assert_eq!(metadata["token_endpoint"], format!("{AUDIENCE}/oauth/token"));
    assert_eq!(metadata["jwks_uri"], format!("{AUDIENCE}/oauth/jwks"));
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));

    let (status, headers, jwks) = call(&world, get(endpoints::JWKS_PATH)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers.contains_key("cache-control"));
    let key = jwks["keys"][0].as_object().expect("a key");
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("EC"), &json!("P-256"), &json!("ES256")));
    assert!(key.contains_key("kid") && !key.contains_key("d"));
}
