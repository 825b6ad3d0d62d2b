//! Credential definitions: what is accepted, and what is refused with a reason.

use http::Method;
use serde_json::{Value, json};

use crate::{
    call::Answer,
    fixtures::{definition, issuing, read, register},
    holder::Holder,
    support::{ADMIN, DCP, World},
};

async fn create(world: &World, token: &str, body: &Value) -> Answer {
    world.post(&format!("{ADMIN}/credentialdefinitions")).bearer(token).json(body).send().await
}

#[tokio::test]
async fn definitions_that_mean_nothing_are_refused() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let rule = |operator: &str| json!([{"type": "expression", "configuration": {"claim": "a", "operator": operator, "value": 1}}]);
    for (pointer, change) in [
        ("/attestations/0", json!({"attestations": ["nothing"]})),
        ("/attestations", json!({"attestations": []})),
        ("/format", json!({"format": "VC2_0_JOSE"})),
        ("/format", json!({"format": "vc20-bssl/jwt"})),
        ("/format", json!({"format": "pdf"})),
        ("/validity", json!({"validity": "soon"})),
        ("/validity", json!({"validity": 0})),
        ("/credentialType", json!({"credentialType": ""})),
        ("/jsonSchema", json!({"jsonSchema": null, "jsonSchemaUrl": null})),
        ("/jsonSchema", json!({"jsonSchema": "[", "jsonSchemaUrl": null})),
        ("/jsonSchemaUrl", json!({"jsonSchemaUrl": "file:///etc/passwd"})),
        ("/mappings/0/output", json!({"mappings": [{"input": "a", "output": "issuer"}]})),
        (
            "/mappings/0/required",
            json!({"mappings": [{"input": "a", "output": "credentialSubject.a", "required": "maybe"}]}),
        ),
    ] {
        let mut body = definition("new-def");
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let answer = create(&world, &token, &body).await;
        assert_eq!(
            (answer.status, &answer.json()[0]["path"]),
            (400, &json!(pointer)),
            "{change}: {}",
            answer.text
        );
    }
    for rules in [rule("LIKE"), json!([{"type": "script", "configuration": {}}])] {
        let mut body = definition("new-def");
        body["rules"] = rules;
        assert_eq!(create(&world, &token, &body).await.status, 400);
    }
    assert_eq!(create(&world, &token, &definition("membership-def")).await.status, 409);
    let metadata = world.get(&format!("{DCP}/metadata")).send().await.json();
    assert_eq!(
        metadata["credentialsSupported"].as_array().map(Vec::len),
        Some(1),
        "nothing of it is offered"
    );
}

#[tokio::test]
async fn a_definition_is_shown_as_it_was_written_and_can_be_changed() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let path = format!("{ADMIN}/credentialdefinitions/membership-def");
    let shown = world.get(&path).bearer(&token).send().await.json();
    for member in ["credentialType", "attestations", "jsonSchemaUrl", "format", "rules"] {
        assert_eq!(shown[member], definition("membership-def")[member], "{member}");
    }
    assert_eq!((&shown["validity"], &shown["mappings"][0]["required"]), (&json!(604_800), &json!(true)));
    let mut changed = definition("membership-def");
    changed["credentialType"] = json!("PartnerCredential");
    let put = |body: Value| {
        world.call(Method::PUT, &format!("{ADMIN}/credentialdefinitions")).bearer(&token).json(&body).send()
    };
    assert_eq!(put(changed).await.status, 200);
    let metadata = world.get(&format!("{DCP}/metadata")).send().await.json();
    assert_eq!(metadata["credentialsSupported"][0]["credentialType"], "PartnerCredential");
    assert_eq!(put(definition("unknown")).await.status, 404);
    let attestation = format!("{ADMIN}/attestations/membership");
    let remove = |path: &str| world.call(Method::DELETE, path).bearer(&token).send();
    assert_eq!(remove(&attestation).await.status, 409, "a definition relies on it");
    assert_eq!(remove(&path).await.status, 204);
    assert_eq!(remove(&attestation).await.status, 204);
    assert_eq!(remove(&attestation).await.status, 404);
}

#[tokio::test]
async fn a_schema_that_is_given_as_text_is_published() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let mut body = definition("own/schema");
    body["jsonSchema"] = json!("{\"type\": \"object\"}");
    body["jsonSchemaUrl"] = Value::Null;
    assert_eq!(create(&world, &token, &body).await.status, 201);
    let metadata = world.get(&format!("{DCP}/metadata")).send().await.json();
    let url = metadata["credentialsSupported"][1]["credentialSchema"].as_str().expect("a URL").to_owned();
    assert!(url.starts_with(&world.url), "{url}");
    let schema = world.get(&url).send().await;
    assert_eq!((schema.status, schema.json()), (200, json!({"type": "object"})));
    let gone = format!("{ADMIN}/credentialdefinitions/own%2Fschema");
    assert_eq!(world.call(Method::DELETE, &gone).bearer(&token).send().await.status, 204);
    assert_eq!(world.get(&url).send().await.status, 404);
}

#[tokio::test]
async fn the_registration_of_a_holder_can_attest_too() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let attestation = json!({"id": "registration", "attestationType": "holder"});
    world.post(&format!("{ADMIN}/attestations")).bearer(&token).json(&attestation).send().await;
    let mut body = definition("manufacturer-def");
    body["attestations"] = json!(["registration"]);
    body["rules"] = json!([{"type": "expression", "configuration": {"claim": "staff.count", "operator": "GEQ", "value": 10}}]);
    body["mappings"] =
        json!([{"input": "staff.count", "output": "credentialSubject.staff", "required": true}]);
    assert_eq!(create(&world, &token, &body).await.status, 201);
    let holder = Holder::start().await;
    register(&world, &token, &holder).await;
    assert_eq!(holder.ask(&world, "pid-1", &["manufacturer-def"]).await.status, 403);
    let update = json!({"holderId": holder.did.as_str(), "did": holder.did.as_str(), "properties": {"staff": {"count": 12}}});
    world.call(Method::PUT, &format!("{ADMIN}/holders")).bearer(&token).json(&update).send().await;
    assert_eq!(holder.ask(&world, "pid-2", &["manufacturer-def"]).await.status, 201);
    let payload = holder.delivery().await.payloads()[0].clone();
    assert_eq!(read(&world, &payload).credential().subjects[0]["staff"], 12);
}
