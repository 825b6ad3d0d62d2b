//! `Idempotency-Key` on every creating request.

use serde_json::{Value, json};

use crate::world::{Answer, World};

impl World {
    async fn keyed(&self, path: &str, key: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {}", self.operator);
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", key)];
        self.send(&format!("POST {path}"), &headers, Some(body.to_string())).await
    }
}

#[tokio::test]
async fn a_repeated_creation_gets_the_first_answer_and_does_nothing() {
    let mut world = World::new().await;
    let (cell, dataspace) = world.dataspace().await;
    let tenant = world.new_tenant().await;
    let creations = [
        ("/tenants".to_owned(), json!({"properties": {"a": 1}}), 201),
        ("/cells".to_owned(), json!({"externalId": "x", "state": "active"}), 201),
        ("/dataspace-profiles".to_owned(), json!({"dataspaceSpec": {}}), 201),
        (format!("/dataspace-profiles/{dataspace}/deployments"), json!({"cellId": cell}), 202),
        (format!("/tenants/{tenant}/participant-profiles"), json!({"identifier": "did:web:acme"}), 202),
    ];
    for (path, body, status) in &creations {
        let first = world.keyed(path, path, body).await;
        assert_eq!(
            (first.status, first.headers.get("idempotency-replayed")),
            (*status, None),
            "{path} {first:?}"
        );
        let second = world.keyed(path, path, body).await;
        assert_eq!((second.status, &second.body), (*status, &first.body), "{path}");
        assert_eq!(second.headers["idempotency-replayed"], "true", "{path}");
        let other = json!({"state": "active", "dataspaceSpec": {}, "identifier": "did:web:b"});
        assert_eq!(world.keyed(path, path, &other).await.error().0, 422, "{path}");
    }
    for (path, count) in [("/tenants", 2), ("/cells", 2), ("/dataspace-profiles", 2)] {
        let all = world.call(&format!("GET {path}"), None).await.body;
        assert_eq!(all.as_array().map(Vec::len), Some(count), "{path}");
    }
    world.manifest().await;
    world.no_manifest();
}

#[tokio::test]
async fn of_many_creations_with_one_key_at_the_same_time_one_has_an_effect() {
    let world = World::new().await;
    let body = json!({"properties": {"a": 1}});
    let answers = futures::future::join_all((0..8).map(|_| world.keyed("/tenants", "k", &body))).await;
    assert!(
        answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body),
        "{answers:?}"
    );
    assert_eq!(world.call("GET /tenants", None).await.body.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn keys_of_different_callers_never_meet() {
    let world = World::new().await;
    let mine = world.keyed("/tenants", "k", &json!({})).await.id();
    let other = world.server.token_of(heddle_auth::NewClient::admin()).await;
    let authorization = format!("Bearer {other}");
    let headers = [("authorization", authorization.as_str()), ("idempotency-key", "k")];
    let theirs = world.send("POST /tenants", &headers, Some("{}".to_owned())).await;
    assert_eq!(theirs.status, 201);
    assert_ne!(theirs.id(), mine);
}
