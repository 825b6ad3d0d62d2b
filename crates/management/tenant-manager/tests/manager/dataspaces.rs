//! `/cells`, `/dataspace-profiles` and deployments.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn cells_are_created_listed_by_age_and_deleted() {
    let world = World::new().await;
    let body = json!({"externalId": "eu", "state": "ACTIVE", "stateTimestamp": "2026-01-01T01:00:00+01:00",
        "properties": {"region": "eu"}});
    let made = world.call("POST /cells", Some(body)).await;
    assert_eq!(made.status, 201);
    let first = made.id();
    let shown = json!({"id": first, "version": 1, "externalId": "eu", "state": "active",
        "stateTimestamp": "2026-01-01T00:00:00.000Z", "properties": {"region": "eu"}});
    assert_eq!(made.body, shown);
    let mut ids = vec![first.clone()];
    for _ in 0..3 {
        ids.push(
            world.made("/cells", json!({"externalId": "", "state": "offline", "properties": null})).await,
        );
    }
    let all = world.call_as(&world.reader, "GET /cells", None).await.body;
    assert_eq!(all[0], shown);
    let listed: Vec<&str> = all.as_array().expect("a list").iter().filter_map(|c| c["id"].as_str()).collect();
    assert_eq!(listed, ids);
    let time = all[1]["stateTimestamp"].as_str().expect("a time");
    assert!(time.starts_with("20") && time.ends_with('Z'), "now, when nothing is said: {time}");

    assert_eq!(world.call(&format!("DELETE /cells/{first}"), None).await.status, 200);
    assert_eq!(world.call(&format!("DELETE /cells/{first}"), None).await.error(), (404, "Not found"));
}

#[tokio::test]
async fn a_cell_that_is_none_is_refused_and_so_is_one_with_a_name_that_is_taken() {
    let world = World::new().await;
    for (body, at) in [
        (json!({"state": "ready"}), "/state: "),
        (json!({"externalId": "x"}), "missing field"),
        (json!({"state": "active", "stateTimestamp": "yesterday"}), "/stateTimestamp: "),
        (json!({"state": "active", "externalId": 1}), "/externalId: "),
    ] {
        let answer = world.call("POST /cells", Some(body)).await;
        assert_eq!(answer.error().0, 400);
        assert!(answer.error().1.contains(at), "{answer:?}");
    }
    let body = || Some(json!({"externalId": "eu", "state": "active"}));
    assert_eq!(world.call("POST /cells", body()).await.status, 201);
    let again = world.call("POST /cells", body()).await;
    assert_eq!(again.error(), (409, "Conflict: a cell with the externalId 'eu' exists"));
}

#[tokio::test]
async fn dataspace_profiles_are_created_shown_deployed_once_per_cell_and_deleted() {
    let world = World::new().await;
    let cell = world.made("/cells", json!({"externalId": "eu", "state": "active"})).await;
    let spec = json!({"protocolStack": ["dsp-2025-1"], "credentialSpecs": [
        {"id": "m", "type": "MembershipCredential", "issuer": "did:web:issuer", "format": "VC1_0_JWT", "role": "maker"}]});
    let body = json!({"dataspaceSpec": spec, "artifacts": null, "properties": {"name": "First"}});
    let made = world.call("POST /dataspace-profiles", Some(body)).await;
    assert_eq!(made.status, 201);
    let id = made.id();
    let expected = json!({"id": id, "version": 1, "dataspaceSpec": spec, "properties": {"name": "First"}});
    assert_eq!(made.body, expected);

    // The path counts; the body may repeat it. No cell is the oldest active one.
    let line = format!("POST /dataspace-profiles/{id}/deployments");
    for body in [json!({"profileId": id, "cellId": cell}), json!({"profileId": "", "cellId": ""}), json!({})]
    {
        let answer = world.call(&line, Some(body)).await;
        assert_eq!((answer.status, answer.body), (202, Value::Null));
    }
    let shown = world.call_as(&world.reader, &format!("GET /dataspace-profiles/{id}"), None).await.body;
    let deployments = shown["deployments"].as_array().expect("a list");
    assert_eq!(deployments.len(), 1);
    assert_eq!(deployments[0]["cellId"], cell);
    assert_eq!(
        (&deployments[0]["state"], &deployments[0]["externalCellId"]),
        (&json!("active"), &json!("eu"))
    );
    assert!(deployments[0]["stateTimestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert_eq!(world.call("GET /dataspace-profiles", None).await.body, json!([shown]));

    let kept = world.call(&format!("DELETE /cells/{cell}"), None).await;
    assert_eq!(kept.error().0, 409, "{kept:?}");
    assert_eq!(world.call(&format!("DELETE /dataspace-profiles/{id}"), None).await.status, 200);
    for method in ["GET", "DELETE"] {
        let line = format!("{method} /dataspace-profiles/{id}");
        assert_eq!(world.call(&line, None).await.error(), (404, "Not found"));
    }
    assert_eq!(world.call(&format!("DELETE /cells/{cell}"), None).await.status, 200);
}

#[tokio::test]
async fn a_deployment_needs_a_profile_a_cell_and_the_same_profile_in_path_and_body() {
    let world = World::new().await;
    let id = world.made("/dataspace-profiles", json!({"dataspaceSpec": {}})).await;
    let line = format!("POST /dataspace-profiles/{id}/deployments");
    let none = world.call(&line, Some(json!({}))).await;
    assert_eq!(none.error().0, 400);
    assert!(none.error().1.contains("no active cell found"), "{none:?}");
    assert_eq!(world.call(&line, Some(json!({"cellId": "c9"}))).await.error().0, 404);
    let other = world.call(&line, Some(json!({"profileId": "other"}))).await;
    assert!(other.error().0 == 400 && other.error().1.starts_with("/profileId"), "{other:?}");
    let line = "POST /dataspace-profiles/nothing/deployments";
    assert_eq!(world.call(line, Some(json!({}))).await.error(), (404, "Not found"));
}

#[tokio::test]
async fn a_dataspace_profile_that_could_not_be_provisioned_is_refused() {
    let world = World::new().await;
    let spec = |issuer: &str| json!({"id": "m", "type": "T", "issuer": issuer, "format": "VC1_0_JWT"});
    for (body, at) in [
        (json!({}), "dataspaceSpec"),
        (
            json!({"dataspaceSpec": {"credentialSpecs": [spec("did:web:i"), spec("")]}}),
            "/dataspaceSpec/credentialSpecs/1/issuer",
        ),
        (json!({"dataspaceSpec": {"credentialSpecs": [{"id": "m"}]}}), "/dataspaceSpec/credentialSpecs/0"),
        (json!({"dataspaceSpec": {}, "properties": {"profile": 7}}), "/properties/profile"),
        (json!({"dataspaceSpec": {}, "properties": {"profile": ""}}), "/properties/profile"),
    ] {
        let answer = world.call("POST /dataspace-profiles", Some(body)).await;
        assert!(answer.error().0 == 400 && answer.error().1.contains(at), "{at}: {answer:?}");
    }
}
