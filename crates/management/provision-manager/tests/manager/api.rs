//! The REST interface: CFM's Provision Manager, v1alpha1.

use heddle_agent::{DEPLOY, DISPOSE};
use serde_json::{Value, json};

use crate::world::{READ, WRITE, World};

const ROUTES: [(&str, bool); 9] = [
    ("GET /activity-definitions", false),
    ("POST /activity-definitions", true),
    ("DELETE /activity-definitions/a", true),
    ("GET /orchestration-definitions", false),
    ("POST /orchestration-definitions", true),
    ("GET /orchestration-definitions/t", false),
    ("DELETE /orchestration-definitions/t", true),
    ("POST /orchestrations", true),
    ("GET /orchestrations/o", false),
];

fn order(id: &str) -> Value {
    json!({"id": id, "correlationId": "c", "orchestrationType": DEPLOY, "payload": {}, "unknown": 1})
}

#[tokio::test]
async fn nobody_and_those_without_the_scope_are_refused_before_anything_is_read() {
    let world = World::new().await;
    for (line, writes) in ROUTES {
        let malformed = || line.starts_with("POST").then(|| "{".to_owned());
        let (status, body) = world.send(line, &[], malformed()).await;
        assert_eq!((status, &body["error"]), (401, &json!("Unauthorized")), "{line}");
        let mut refused = vec![
            json!({"role": "admin", "scope": "tenant-manager-api:write"}),
            json!({"role": "provisioner", "scope": WRITE}),
            json!({"role": "participant", "scope": WRITE, "participant_context_id": "p"}),
            json!({"tenant_id": "t1", "scope": WRITE}),
        ];
        if writes {
            refused.push(json!({"role": "admin", "scope": READ}));
        }
        for claims in refused {
            let token = format!("Bearer {}", world.token(&claims));
            let (status, _) = world.send(line, &[("authorization", &token)], malformed()).await;
            assert_eq!(status, 403, "{line} {claims}");
        }
    }
}

#[tokio::test]
async fn activity_definitions_are_created_replaced_listed_and_kept_while_they_are_used() {
    let world = World::new().await;
    for description in ["first", "second"] {
        let body = json!({"type": "a", "description": description, "inputSchema": {}});
        let answer = world.call(WRITE, "POST /activity-definitions", Some(body)).await;
        assert_eq!(answer, (201, Value::Null));
    }
    let (_, all) = world.call(READ, "GET /activity-definitions", None).await;
    assert_eq!(all, json!([{"type": "a", "description": "second", "inputSchema": {}}]));
    for bad in [json!({"type": "a b"}), json!({"type": ""}), json!({"description": "no type"})] {
        let (status, body) = world.call(WRITE, "POST /activity-definitions", Some(bad)).await;
        assert_eq!((status, &body["error"]), (400, &json!("Bad Request")), "{body}");
    }
    world.define("t", &[(DEPLOY, &["a"]), (DISPOSE, &["a"])]).await;
    let (status, body) = world.call(WRITE, "DELETE /activity-definitions/a", None).await;
    assert_eq!(status, 400);
    let message = body["message"].as_str().expect("a sentence");
    assert!(message.contains("is referenced by an orchestration definition"), "{message}");
    assert_eq!(world.call(WRITE, "DELETE /orchestration-definitions/t", None).await.0, 200);
    assert_eq!(world.call(WRITE, "DELETE /activity-definitions/a", None).await, (200, Value::Null));
    assert_eq!(world.call(WRITE, "DELETE /activity-definitions/a", None).await.0, 404);
}

#[tokio::test]
async fn a_template_is_one_definition_per_type() {
    let world = World::new().await;
    world.define("t", &[(DEPLOY, &["a", "b<a"]), (DISPOSE, &["b"])]).await;
    let (status, shown) = world.call(READ, "GET /orchestration-definitions/t", None).await;
    assert_eq!(status, 200);
    let a = json!({"id": "a", "type": "a"});
    let b = json!({"id": "b", "type": "b", "dependsOn": ["a"]});
    let deploy = json!({"templateRef": "t", "activities": {DEPLOY: [a, b]}});
    let dispose = json!({"templateRef": "t", "activities": {DISPOSE: [{"id": "b", "type": "b"}]}});
    assert_eq!(shown, json!([deploy, dispose]));
    assert_eq!(world.call(READ, "GET /orchestration-definitions", None).await.1, shown);
    assert_eq!(world.call(READ, "GET /orchestration-definitions/x", None).await, (200, json!([])));
    assert_eq!(world.call(WRITE, "DELETE /orchestration-definitions/x", None).await.0, 404);
    let unnamed = json!({"activities": {DEPLOY: []}});
    let (status, body) = world.call(WRITE, "POST /orchestration-definitions", Some(unnamed)).await;
    assert_eq!((status, body["id"].as_str().map(str::len)), (201, Some(36)), "{body}");
}

#[tokio::test]
async fn graphs_that_cannot_run_are_refused_as_a_whole() {
    let world = World::new().await;
    world.define("known", &[(DEPLOY, &["a", "b"])]).await;
    let bad = [
        (json!({}), "at least one"),
        (
            json!({DEPLOY: [{"id": "a", "type": "a", "dependsOn": ["b"]}, {"id": "b", "type": "b", "dependsOn": ["a"]}]}),
            "cycle detected",
        ),
        (
            json!({DISPOSE: [{"id": "a", "type": "a"}], DEPLOY: [{"id": "a", "type": "a", "dependsOn": ["x"]}]}),
            "depends on 'x'",
        ),
        (json!({DEPLOY: [{"id": "a", "type": "x"}, {"id": "b", "type": "y"}]}), "x, y"),
        (json!({DEPLOY: [{"id": "a", "type": "a"}, {"id": "a", "type": "a"}]}), "used twice"),
        (json!({DEPLOY: [{"id": "a"}]}), "type"),
    ];
    for (activities, expected) in bad {
        let template = json!({"id": "t", "activities": activities});
        let (status, body) = world.call(WRITE, "POST /orchestration-definitions", Some(template)).await;
        assert_eq!(status, 400, "{expected}");
        let message = body["message"].as_str().expect("a sentence");
        assert!(message.contains(expected), "{expected}: {message}");
    }
    assert_eq!(world.call(READ, "GET /orchestration-definitions/t", None).await.1, json!([]));
}

#[tokio::test]
async fn a_template_is_kept_while_anybody_has_an_orchestration_of_it() {
    let mut world = World::with(vec![("a", vec![])]).await;
    world.define("t", &[(DEPLOY, &["a"])]).await;
    world.order("o1", DEPLOY).await;
    world.response().await;
    let (status, body) = world.call(WRITE, "DELETE /orchestration-definitions/t", None).await;
    assert_eq!(status, 400, "a tenant's orchestration counts: {body}");
}

#[tokio::test]
async fn an_orchestration_is_ordered_once_by_its_id() {
    let mut world = World::with(vec![("a", vec![])]).await;
    world.define("t", &[(DEPLOY, &["a"])]).await;
    let (status, first) = world.call(WRITE, "POST /orchestrations", Some(order("o1"))).await;
    assert_eq!((status, &first["id"], &first["state"]), (202, &json!("o1"), &json!(1)));
    assert_eq!(first["steps"][0]["activities"][0]["type"], "a");
    assert!(world.response().await.success);
    let (status, again) = world.call(WRITE, "POST /orchestrations", Some(order("o1"))).await;
    assert_eq!(
        (status, &again["state"], &again["createdTimestamp"]),
        (202, &json!(2), &first["createdTimestamp"])
    );
    assert_eq!(world.calls().len(), 1);
    assert_eq!(world.call(READ, "GET /orchestrations/nowhere", None).await.0, 404);
    for (member, value) in
        [("id", json!("")), ("correlationId", json!("")), ("orchestrationType", json!("x"))]
    {
        let mut bad = order("o2");
        bad[member] = value;
        assert_eq!(world.call(WRITE, "POST /orchestrations", Some(bad)).await.0, 400, "{member}");
    }
}

#[tokio::test]
async fn an_order_for_a_tenant_is_the_tenants() {
    let mut world = World::with(vec![("a", vec![])]).await;
    world.define("t", &[(DEPLOY, &["a"])]).await;
    let mut manifest = order("o1");
    manifest["payload"] = json!({"cfm.tenant.id": "t1"});
    assert_eq!(world.call(WRITE, "POST /orchestrations", Some(manifest.clone())).await.0, 202);
    world.response().await;
    assert_eq!(world.events().await, ["orchestration.started o1", "orchestration.completed o1"]);
    assert_eq!(world.call(READ, "GET /orchestrations/o1", None).await.0, 200);
    manifest["payload"] = json!({"cfm.tenant.id": 7});
    assert_eq!(world.call(WRITE, "POST /orchestrations", Some(manifest)).await.0, 400);
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_answer() {
    let world = World::new().await;
    let token = format!("Bearer {}", world.token(&json!({"role": "admin", "scope": WRITE})));
    let headers = [("authorization", token.as_str()), ("idempotency-key", "k1")];
    let template = json!({"activities": {DEPLOY: []}}).to_string();
    let line = "POST /orchestration-definitions";
    let first = world.send(line, &headers, Some(template.clone())).await;
    assert_eq!(first.0, 201);
    assert_eq!(world.send(line, &headers, Some(template)).await, first, "the same generated id");
    let other = json!({"activities": {DISPOSE: []}}).to_string();
    assert_eq!(world.send(line, &headers, Some(other)).await.0, 422);
}

#[tokio::test]
async fn unknown_paths_and_methods_speak_the_same_language() {
    let world = World::new().await;
    let (status, body) = world.call(WRITE, "GET /nowhere", None).await;
    assert_eq!((status, &body["error"]), (404, &json!("Not Found")));
    let (status, body) = world.call(WRITE, "POST /orchestrations/o1", Some(json!({}))).await;
    assert_eq!((status, &body["error"]), (405, &json!("Method Not Allowed")));
}
