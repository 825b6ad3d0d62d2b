//! The Issuer Admin API: who may, and what holders, attestations and records are like.

use heddle_auth::NewClient;
use heddle_tenancy::Actor;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    fixtures::{attest, issuing, record_path, register},
    holder::Holder,
    support::{ADMIN, World},
};

/// Every route, with a body that would be good.
fn routes() -> Vec<(Method, String, Value)> {
    let holder = json!({"holderId": "h", "did": "did:web:h.example"});
    let attestation = json!({"id": "a", "attestationType": "holder"});
    let definition = crate::fixtures::definition("d");
    let mut routes = vec![
        (Method::POST, "/holders", holder.clone()),
        (Method::PUT, "/holders", holder),
        (Method::GET, "/holders/h", Value::Null),
        (Method::DELETE, "/holders/h", Value::Null),
        (Method::POST, "/attestations", attestation),
        (Method::DELETE, "/attestations/a", Value::Null),
        (Method::PUT, "/attestations/a/records/h", json!({"claims": {}})),
        (Method::GET, "/attestations/a/records/h", Value::Null),
        (Method::DELETE, "/attestations/a/records/h", Value::Null),
        (Method::POST, "/credentialdefinitions", definition.clone()),
        (Method::PUT, "/credentialdefinitions", definition),
        (Method::GET, "/credentialdefinitions/d", Value::Null),
        (Method::DELETE, "/credentialdefinitions/d", Value::Null),
        (Method::POST, "/credentials/c/revoke", Value::Null),
        (Method::GET, "/credentials/c/status", Value::Null),
        (Method::GET, "/issuanceprocesses/p", Value::Null),
    ];
    for kind in ["holders", "attestations", "credentialdefinitions", "credentials", "issuanceprocesses"] {
        routes.push((Method::POST, Box::leak(format!("/{kind}/query").into_boxed_str()), json!({})));
    }
    routes.into_iter().map(|(method, path, body)| (method, format!("{ADMIN}{path}"), body)).collect()
}

#[tokio::test]
async fn nobody_and_other_tenants_are_refused_on_every_route_before_anything_is_read() {
    let world = World::start().await;
    issuing(&world).await;
    world.publish_context("second", true).await;
    let other = world.own_token("second").await;
    for (method, path, body) in routes() {
        let nobody = world.call(method.clone(), &path).json(&body).send().await;
        assert_eq!(nobody.status, 401, "{method} {path}");
        let stranger = world.call(method.clone(), &path).bearer(&other).json(&body).send().await;
        assert_eq!(stranger.status, 403, "{method} {path}");
        let broken = world.call(method.clone(), &path).bearer(&other).json(&json!("broken")).send().await;
        assert_eq!((broken.status, &broken.text), (403, &stranger.text), "{method} {path}");
        assert_eq!(stranger.json()[0]["type"], "NotAuthorized");
    }
}

#[tokio::test]
async fn a_provisioner_registers_holders_and_sees_no_contents() {
    let world = World::start().await;
    issuing(&world).await;
    let operator = world.scopes.operator(Actor::new("test"));
    let provisioner = NewClient::provisioner().with_scopes(vec!["issuer-admin-api:admin".to_owned()]);
    let provisioner = world.token(&operator, provisioner).await;
    register(&world, &provisioner, &Holder::start().await).await;
    let record = world.call(Method::PUT, &format!("{ADMIN}/attestations/membership/records/h"));
    assert_eq!(record.bearer(&provisioner).json(&json!({"claims": {}})).send().await.status, 403);
    let admin = world.token(&operator, NewClient::admin()).await;
    let encoded = "/api/admin/v1alpha/participants/aXNzdWVy/attestations/query";
    let found = world.post(encoded).bearer(&admin).json(&json!({})).send().await;
    assert_eq!(found.json()[0]["id"], "membership", "the path may name the issuer in base64url");
}

#[tokio::test]
async fn holders_are_registered_once_changed_and_removed() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let body = json!({"@context": ["x"], "holderId": "did:web:a%3A1:x", "did": "did:web:a%3A1:x", "name": "A", "properties": {"size": 3}});
    let create = |body: Value, key: &'static str| {
        world
            .post(&format!("{ADMIN}/holders"))
            .bearer(&token)
            .header("idempotency-key", key)
            .json(&body)
            .send()
    };
    let first = create(body.clone(), "k1").await;
    assert_eq!(first.status, 201, "{}", first.text);
    let location = first.headers["location"].to_str().expect("text").to_owned();
    assert_eq!(location, format!("{ADMIN}/holders/did%3Aweb%3Aa%253A1%3Ax"));
    let again = create(body.clone(), "k1").await;
    assert_eq!((again.status, &again.headers["location"]), (201, &first.headers["location"]));
    assert_eq!(create(body.clone(), "k2").await.status, 409, "the id is taken");
    let same_did = json!({"holderId": "other", "did": "did:web:a%3A1:x"});
    assert_eq!(create(same_did, "k3").await.status, 409, "the DID is taken");
    assert_eq!(create(json!({"holderId": "x", "did": "acme"}), "k4").await.status, 400);
    let shown = world.get(&location).bearer(&token).send().await.json();
    assert_eq!((&shown["did"], &shown["properties"]["size"]), (&body["did"], &json!(3)));
    let mut changed = body.clone();
    changed["name"] = json!("B");
    let put =
        |body: Value| world.call(Method::PUT, &format!("{ADMIN}/holders")).bearer(&token).json(&body).send();
    assert_eq!(put(changed).await.status, 200);
    assert_eq!(put(json!({"holderId": "nobody", "did": "did:web:n.example"})).await.status, 404);
    let spec = json!({"filterExpression": [{"operandLeft": "name", "operator": "=", "operandRight": "B"}]});
    let found = world.post(&format!("{ADMIN}/holders/query")).bearer(&token).json(&spec).send().await.json();
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(world.call(Method::DELETE, &location).bearer(&token).send().await.status, 204);
    assert_eq!(world.get(&location).bearer(&token).send().await.status, 404);
}

#[tokio::test]
async fn records_are_written_ahead_of_the_holder_and_can_be_taken_away() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = Holder::start().await;
    let path = record_path(&holder.did);
    assert_eq!(world.get(&path).bearer(&token).send().await.status, 404);
    attest(&world, &token, &holder, &json!({"active": true, "level": "gold"})).await;
    attest(&world, &token, &holder, &json!({"active": true, "level": "silver"})).await;
    let record = world.get(&path).bearer(&token).send().await.json();
    assert_eq!(
        (&record["holderId"], &record["claims"]["level"]),
        (&json!(holder.did.as_str()), &json!("silver"))
    );
    register(&world, &token, &holder).await;
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 201);
    assert_eq!(world.call(Method::DELETE, &path).bearer(&token).send().await.status, 204);
    assert_eq!(holder.ask(&world, "pid-2", &["membership-def"]).await.status, 403);
    let nothing = path.replace("/membership/", "/nothing/");
    let put = world.call(Method::PUT, &nothing).bearer(&token).json(&json!({"claims": {}}));
    assert_eq!(put.send().await.status, 404);
}

#[tokio::test]
async fn issuers_share_nothing() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = Holder::start().await;
    attest(&world, &token, &holder, &json!({"active": true, "level": "gold"})).await;
    register(&world, &token, &holder).await;
    world.publish_context("second", true).await;
    let second = world.own_token("second").await;
    let base = "/api/admin/v1beta/participants/second";
    for kind in ["holders", "attestations", "credentialdefinitions", "credentials", "issuanceprocesses"] {
        let found = world.post(&format!("{base}/{kind}/query")).bearer(&second).json(&json!({})).send().await;
        assert_eq!(found.json(), json!([]), "{kind}");
    }
    let did = utf8_percent_encode(holder.did.as_str(), NON_ALPHANUMERIC);
    assert_eq!(world.get(&format!("{base}/holders/{did}")).bearer(&second).send().await.status, 404);
    let attestation = json!({"id": "membership", "attestationType": "record"});
    let made = world.post(&format!("{base}/attestations")).bearer(&second).json(&attestation).send().await;
    assert_eq!(made.status, 201, "ids are taken per issuer: {}", made.text);
}
