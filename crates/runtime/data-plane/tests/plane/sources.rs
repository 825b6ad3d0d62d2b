//! Describing and uploading sources.

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Site, UPLOAD_BYTES_MAX, World, opening};

#[tokio::test]
async fn hostile_dataset_ids_are_only_names() {
    let world = World::start().await;
    let (alice, bob) =
        (Site::new(&world, "alice", &json!({})).await, Site::new(&world, "bob", &json!({})).await);
    for (path, dataset) in [
        ("..%2Fx", "../x"),
        ("%2Fetc%2Fpasswd", "/etc/passwd"),
        ("..%2F..%2F..%2Ftmp%2Fx", "../../../tmp/x"),
        ("urn:x:%C3%B6", "urn:x:ö"),
    ] {
        alice.upload(path, dataset.to_owned()).await.expect(StatusCode::OK);
        let shown =
            alice.own("GET", &format!("sources/{path}"), &Value::Null).await.expect(StatusCode::OK).json();
        assert_eq!(shown["datasetId"], dataset);
        bob.own("GET", &format!("sources/{path}"), &Value::Null).await.expect(StatusCode::NOT_FOUND);
        let address = alice.start(path, dataset).await;
        assert_eq!(world.fetch(&address).await.expect(StatusCode::OK).body, dataset);
    }
    alice.upload("a%00b", "x").await.expect(StatusCode::NOT_FOUND);
    alice.upload(&"x".repeat(1025), "x").await.expect(StatusCode::NOT_FOUND);
    alice.upload(&"x".repeat(1024), "x").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn an_upload_has_a_quota() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    let size = usize::try_from(UPLOAD_BYTES_MAX).expect("small");
    site.upload("whole", vec![0_u8; size + 1]).await.expect(StatusCode::PAYLOAD_TOO_LARGE);
    let chunk = Bytes::from(vec![0_u8; 1024 * 1024]);
    let chunks = move |count: usize| {
        let chunks: Vec<_> = (0..count).map(|_| Ok::<_, std::io::Error>(chunk.clone())).collect();
        Body::from_stream(futures::stream::iter(chunks))
    };
    site.upload("chunked", chunks(17)).await.expect(StatusCode::PAYLOAD_TOO_LARGE);
    site.own("GET", "sources/chunked", &Value::Null).await.expect(StatusCode::NOT_FOUND);
    let stored = site.upload("chunked", chunks(16)).await.expect(StatusCode::OK).json();
    assert_eq!(stored["length"], UPLOAD_BYTES_MAX);
    let broken = futures::stream::iter([Ok(Bytes::from_static(b"ab")), Err(std::io::Error::other("gone"))]);
    site.upload("chunked", Body::from_stream(broken)).await.expect(StatusCode::BAD_REQUEST);
    let shown = site.own("GET", "sources/chunked", &Value::Null).await.expect(StatusCode::OK).json();
    assert_eq!(shown["length"], UPLOAD_BYTES_MAX, "the source of before counts");
}

#[tokio::test]
async fn scopes_decide_who_reads_and_writes() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    let reader = world.application("alice", &["data-plane-api:sources:read"]).await;
    let stranger = world.application("bob", &["data-plane-api:write"]).await;
    site.upload("file", "abc").await.expect(StatusCode::OK);
    let path = site.path("sources/file");
    world.call("GET", &path, &reader, &Value::Null).await.expect(StatusCode::OK);
    for (method, token, status) in [
        ("PUT", reader.as_str(), StatusCode::FORBIDDEN),
        ("DELETE", &reader, StatusCode::FORBIDDEN),
        ("GET", &stranger, StatusCode::FORBIDDEN),
        ("DELETE", &stranger, StatusCode::FORBIDDEN),
        ("GET", "", StatusCode::UNAUTHORIZED),
        ("DELETE", "", StatusCode::UNAUTHORIZED),
    ] {
        let body = json!({"baseUrl": "https://a.example"});
        world.call(method, &path, token, &body).await.expect(status);
    }
    world.call("GET", &site.path("flows"), &reader, &Value::Null).await.expect(StatusCode::FORBIDDEN);
    let content = site.path("sources/file/content");
    world.call("PUT", &content, &stranger, &json!("x")).await.expect(StatusCode::FORBIDDEN);
    let body = json!({"controlplaneId": "x", "endpoint": "https://a.example"});
    world.call("PUT", &site.path("controlplanes"), &reader, &body).await.expect(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn secrets_of_origins_are_kept_and_never_shown() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    let body = json!({"baseUrl": "https://a.example/x", "authorization": "Basic s3cret"});
    let described = site.own("PUT", "sources/file", &body).await.expect(StatusCode::OK);
    let shown = site.own("GET", "sources/file", &Value::Null).await.expect(StatusCode::OK);
    for answer in [&described, &shown] {
        assert!(!String::from_utf8_lossy(&answer.body).contains("s3cret"));
        assert_eq!(answer.json()["authorized"], true);
    }
    for (body, pointer) in [
        (json!({"baseUrl": "ftp://a.example"}), "URL"),
        (json!({"baseUrl": "https://a.example", "headers": {"Host": "b.example"}}), "header"),
        (json!({"baseUrl": "https://a.example", "authorization": "a\nb"}), "value"),
        (json!({}), "baseUrl"),
    ] {
        let refused = site.own("PUT", "sources/file", &body).await.expect(StatusCode::BAD_REQUEST);
        assert!(String::from_utf8_lossy(&refused.body).contains(pointer), "{body}");
    }
    site.own("DELETE", "sources/file", &Value::Null).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(world.vault.delete_all(&world.participant("alice")).await.expect("counted"), 0);
    site.signal("start", &opening("m1", "f", "file")).await.expect(StatusCode::BAD_REQUEST);
}
