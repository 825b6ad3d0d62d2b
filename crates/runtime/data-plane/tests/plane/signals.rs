//! What a control plane may tell, and what it is answered.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Address, Site, World, opening};

#[tokio::test]
async fn a_repeated_start_gets_the_same_address_and_another_one_a_conflict() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    site.upload("file", "abc").await.expect(StatusCode::OK);
    let first = site.signal("start", &opening("m1", "f", "file")).await.expect(StatusCode::OK);
    let again = site.signal("start", &opening("m1", "f", "file")).await.expect(StatusCode::OK);
    assert_eq!(first.json(), again.json(), "to the byte");
    world.fetch(&Address::of(&again.json())).await.expect(StatusCode::OK);
    site.signal("start", &opening("m2", "f", "file")).await.expect(StatusCode::CONFLICT);
    site.signal("prepare", &opening("m3", "f", "file")).await.expect(StatusCode::CONFLICT);
    world.fetch(&Address::of(&first.json())).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_start_needs_what_it_names() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    let refused = site.signal("start", &opening("m1", "f", "nothing")).await.expect(StatusCode::BAD_REQUEST);
    let detail = refused.json()["detail"].as_str().expect("text").to_owned();
    assert!(detail.starts_with("dataset 'nothing' has no source; "), "{detail}");
    site.upload("file", "abc").await.expect(StatusCode::OK);
    for (member, value) in [
        ("profile", json!("HttpData-PUSH")),
        ("profile", json!("AmazonS3-PULL")),
        ("profile", json!("nonsense")),
        ("processId", Value::Null),
        ("dataAddress", json!({"endpointType": "HttpData", "endpoint": "https://a.example"})),
    ] {
        let mut message = opening("m1", "f", "file");
        message[member] = value;
        let refused = site.signal("start", &message).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{member}");
    }
    let status = world.call("GET", &site.path("dataflows/f/status"), &site.control_plane, &Value::Null).await;
    status.expect(StatusCode::NOT_FOUND);
    site.start("f", "file").await;
    let status = world.call("GET", &site.path("dataflows/f/status"), &site.control_plane, &Value::Null).await;
    assert_eq!(status.expect(StatusCode::OK).json(), json!({"dataFlowId": "f", "state": "STARTED"}));
}

#[tokio::test]
async fn resume_issues_a_new_token_and_ends_the_old_one() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    site.upload("file", "abc").await.expect(StatusCode::OK);
    let old = site.start("f", "file").await;
    site.signal("f/suspend", &json!({"messageId": "m2"})).await.expect(StatusCode::OK);
    world.fetch(&old).await.expect(StatusCode::UNAUTHORIZED);
    let resumed = site.signal("f/resume", &json!({"messageId": "m3"})).await.expect(StatusCode::OK).json();
    let new = Address::of(&resumed);
    assert_ne!(old.token, new.token);
    world.fetch(&new).await.expect(StatusCode::OK);
    world.fetch(&old).await.expect(StatusCode::UNAUTHORIZED);
    let again = site.signal("f/resume", &json!({"messageId": "m3"})).await.expect(StatusCode::OK).json();
    assert_eq!(again, resumed, "the same message, the same answer");
    let repeat = site.signal("f/resume", &json!({"messageId": "m4"})).await.expect(StatusCode::OK).json();
    assert_eq!(Address::of(&repeat), new, "a repeat under a new id issues no new token");
    assert_eq!(Address::of(&site.signal("start", &opening("m1", "f", "file")).await.json()), old);
}

#[tokio::test]
async fn nobody_but_a_registered_control_plane_signals() {
    let world = World::start().await;
    let alice = Site::new(&world, "alice", &json!({})).await;
    let bob = Site::new(&world, "bob", &json!({})).await;
    alice.upload("file", "abc").await.expect(StatusCode::OK);
    let unscoped = world.service("cp-unscoped", &["data-plane-api:admin"]).await;
    let unregistered = world.service("cp-unregistered", &["signaling:write"]).await;
    let body = opening("m1", "f", "file");
    for (token, status) in [
        ("", StatusCode::UNAUTHORIZED),
        ("nonsense", StatusCode::UNAUTHORIZED),
        (&unscoped, StatusCode::FORBIDDEN),
        (&alice.application, StatusCode::FORBIDDEN),
        (&unregistered, StatusCode::UNAUTHORIZED),
        (&bob.control_plane, StatusCode::UNAUTHORIZED),
    ] {
        let refused = world.call("POST", &alice.path("dataflows/start"), token, &body).await.expect(status);
        assert_eq!(refused.headers.contains_key("www-authenticate"), status == StatusCode::UNAUTHORIZED);
    }
    let nowhere = "/api/dataplane/v1/participants/nobody/dataflows/start";
    world.call("POST", nowhere, &alice.control_plane, &body).await.expect(StatusCode::UNAUTHORIZED);
    alice.start("f", "file").await;
}

#[tokio::test]
async fn a_participant_that_is_called_like_a_control_plane_is_none() {
    let world = World::start().await;
    let alice = Site::new(&world, "alice", &json!({})).await;
    alice.upload("file", "abc").await.expect(StatusCode::OK);
    let impostor = world.application("cp-alice", &["signaling:write"]).await;
    let path = alice.path("dataflows/start");
    world.call("POST", &path, &impostor, &opening("m1", "f", "file")).await.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn foreign_flows_are_as_unknown_ones() {
    let world = World::start().await;
    let alice = Site::new(&world, "alice", &json!({})).await;
    let bob = Site::new(&world, "bob", &json!({})).await;
    alice.upload("file", "abc").await.expect(StatusCode::OK);
    bob.upload("file", "xyz").await.expect(StatusCode::OK);
    let address = alice.start("f", "file").await;
    let second = world.service("cp-second", &["signaling:write"]).await;
    let body = json!({"controlplaneId": "cp-second", "endpoint": "http://127.0.0.1:1/"});
    alice.own("PUT", "controlplanes", &body).await.expect(StatusCode::OK);
    let suspend = json!({"messageId": "m2"});
    let unknown = bob.signal("unknown/suspend", &suspend).await.expect(StatusCode::NOT_FOUND);
    let foreign = bob.signal("f/suspend", &suspend).await.expect(StatusCode::NOT_FOUND);
    let other_plane = world.call("POST", &alice.path("dataflows/f/suspend"), &second, &suspend).await;
    for answer in [&foreign, &other_plane] {
        assert_eq!((answer.status, &answer.body), (unknown.status, &unknown.body));
    }
    let start =
        world.call("POST", &alice.path("dataflows/start"), &second, &opening("m1", "f", "file")).await;
    start.expect(StatusCode::NOT_FOUND);
    for rest in ["flows/f", "flows/f/edr"] {
        bob.own("GET", rest, &Value::Null).await.expect(StatusCode::NOT_FOUND);
    }
    bob.own("POST", "flows/f/complete", &Value::Null).await.expect(StatusCode::NOT_FOUND);
    world
        .call("GET", &alice.path("flows/f"), &bob.application, &Value::Null)
        .await
        .expect(StatusCode::FORBIDDEN);
    alice.own("POST", "flows/f/complete", &Value::Null).await.expect(StatusCode::CONFLICT);
    bob.signal("start", &opening("m1", "f", "file")).await.expect(StatusCode::CONFLICT);
    world.fetch(&address).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_withdrawn_control_plane_signals_no_more() {
    let world = World::start().await;
    let alice = Site::new(&world, "alice", &json!({})).await;
    alice.own("DELETE", "controlplanes/cp-alice", &Value::Null).await.expect(StatusCode::NO_CONTENT);
    alice.own("DELETE", "controlplanes/cp-alice", &Value::Null).await.expect(StatusCode::NOT_FOUND);
    alice.signal("f/suspend", &json!({"messageId": "m"})).await.expect(StatusCode::UNAUTHORIZED);
    for authorization in [
        json!({"type": "oauth2_token_exchange"}),
        json!({"type": "oauth2_client_credentials", "tokenEndpoint": "https://a.example", "clientId": "x"}),
    ] {
        let body =
            json!({"controlplaneId": "x", "endpoint": "https://a.example", "authorization": authorization});
        alice.own("PUT", "controlplanes", &body).await.expect(StatusCode::BAD_REQUEST);
    }
}
