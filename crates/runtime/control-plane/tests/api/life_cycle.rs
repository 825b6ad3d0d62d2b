//! Participants, their configuration, and the dataspaces that they take part in.

use serde_json::{Value, json};

use crate::support::{BASE, World, asset, did, document, participant_document, profile_document, request};

#[tokio::test]
async fn participants_come_change_and_go() {
    let world = World::empty().await;
    let ask = async |method: &str, path: &str, body: Option<Value>| {
        world.ask(method, path, &world.admin, body.as_ref()).await
    };
    let made = ask("POST", "/participants", Some(participant_document("acme"))).await.is(200).json();
    assert_eq!(made["@id"], "acme");
    ask("POST", "/participants", Some(participant_document("acme"))).await.refused(409);
    let shown = ask("GET", "/participants/acme", None).await.is(200).json();
    assert_eq!((&shown["identity"], &shown["state"]), (&json!(did("acme")), &json!("ACTIVATED")));
    let mut update = participant_document("acme");
    update["state"] = json!("DEACTIVATED");
    ask("PUT", "/participants/acme", Some(update.clone())).await.is(204);
    assert_eq!(ask("GET", "/participants/acme", None).await.json()["state"], "DEACTIVATED");
    update["@id"] = json!("other");
    ask("PUT", "/participants/acme", Some(update)).await.refused(400);
    ask("POST", "/participants", Some(participant_document("beta"))).await.is(200);
    let page = ask("GET", "/participants?offset=1&limit=1", None).await.is(200).json();
    assert_eq!(page.as_array().map(Vec::len), Some(1));
    assert_eq!(page[0]["@id"], "beta");
    ask("DELETE", "/participants/acme", None).await.is(204);
    ask("GET", "/participants/acme", None).await.refused(404);
    ask("DELETE", "/participants/acme", None).await.refused(404);
}

#[tokio::test]
async fn whoever_comes_after_a_participant_finds_nothing_of_it() {
    let (mut world, provider, _) = World::with_participants().await;
    let path = "/participants/provider/assets";
    world.ask("POST", path, &provider, Some(&asset("a", &json!({})))).await.is(200);
    world.ask("DELETE", "/participants/provider", &world.admin, None).await.is(204);
    world.settle().await;
    world.admin_post("/participants", &participant_document("provider")).await.is(200);
    let left = world.ask("POST", &format!("{path}/request"), &provider, None).await.is(200).json();
    assert_eq!(left, json!([]));
}

#[tokio::test]
async fn a_repeated_creation_without_an_id_makes_one_participant() {
    let world = World::empty().await;
    let body = document("ParticipantContext", json!({"identity": "did:web:x"}));
    let mut answers = Vec::new();
    for _ in 0..2 {
        let path = format!("{BASE}/participants");
        let mut request = request("POST", &path, &format!("Bearer {}", world.admin), Some(&body));
        request.headers_mut().insert("idempotency-key", "k".parse().expect("a value"));
        answers.push(world.send(request).await.is(200).text);
    }
    assert_eq!(answers[0], answers[1]);
    let all = world.ask("GET", "/participants", &world.admin, None).await.is(200).json();
    assert_eq!(all.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn configuration_is_replaced_and_merged() {
    let (world, ..) = World::with_participants().await;
    let path = "/participants/provider/config";
    let send = async |method: &str, members: Value| {
        let body = document("ParticipantContextConfig", members);
        world.ask(method, path, &world.admin, Some(&body)).await
    };
    let shown = async || world.ask("GET", path, &world.admin, None).await.is(200);
    send("PUT", json!({"entries": {"a": "1", "b": "2"}, "privateEntries": {"key": "open sesame"}}))
        .await
        .is(204);
    let null = send("PUT", json!({"entries": {"a": null}})).await.refused(400);
    assert_eq!(null["message"], "Null values are not allowed when setting a configuration");
    send("PATCH", json!({"entries": {"a": null, "c": "3"}})).await.is(204);
    let config = shown().await;
    assert!(!config.text.contains("sesame"), "{}", config.text);
    assert_eq!(config.json()["entries"], json!({"b": "2", "c": "3"}));
    assert_eq!(config.json()["privateEntries"], json!({"key": "********"}));
    assert_eq!(send("PATCH", json!({"entries": {"a/b": 1}})).await.refused(400)["path"], "/entries/a~1b");
    send("PATCH", json!({"entries": {}, "privateEntries": {"key": null}})).await.is(204);
    let scope = world.scope_of("provider");
    assert!(world.vault.secret(&scope, "config/key").await.expect("a vault").is_none());
    assert!(shown().await.json().get("privateEntries").is_none());
}

#[tokio::test]
async fn dataspace_profiles_and_who_takes_part() {
    let (world, provider, _) = World::with_participants().await;
    let ask = async |method: &str, path: &str, body: Option<Value>| {
        world.ask(method, path, &world.admin, body.as_ref()).await
    };
    let mut second = profile_document("second");
    second["trustedIssuers"] = json!({"@id": "did:web:issuer", "supportedTypes": "MembershipCredential"});
    let made = ask("POST", "/dataspaceprofiles", Some(second.clone())).await.is(200).json();
    assert_eq!((&made["@type"], &made["protocol"]["path"]), (&json!("DataspaceProfile"), &json!("/second")));
    assert_eq!(made["trustedIssuers"][0]["supportedTypes"], json!(["MembershipCredential"]));
    ask("POST", "/dataspaceprofiles", Some(second.clone())).await.refused(409);
    for (pointer, member, value) in [
        ("/protocol/version", "version", "2024-1"),
        ("/protocol/binding", "binding", "MQTT"),
        ("/protocol/path", "path", "/elsewhere"),
    ] {
        let mut wrong = profile_document("third");
        wrong["protocol"][member] = json!(value);
        assert_eq!(ask("POST", "/dataspaceprofiles", Some(wrong)).await.refused(400)["path"], pointer);
    }
    second["trustedIssuers"] = json!([]);
    ask("PUT", "/dataspaceprofiles", Some(second)).await.is(204);
    let shown = ask("GET", "/dataspaceprofiles/second", None).await.is(200).json();
    assert_eq!(shown["trustedIssuers"], json!([]));
    let all = ask("POST", "/dataspaceprofiles/request", None).await.is(200).json();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    let path = "/participants/provider/profiles";
    let associate = |names: Value| Some(document("AssociateDataspaceProfile", json!({"profiles": names})));
    let unknown = ask("PUT", path, associate(json!(["second", "unheard"]))).await.refused(400);
    let message = unknown["message"].as_str().expect("text");
    assert!(message.starts_with("Failed to associate profiles to ParticipantContext"), "{message}");
    ask("PUT", path, associate(json!(["second"]))).await.is(204);
    let own = world.ask("GET", path, &provider, None).await.is(200).json();
    assert_eq!((own.as_array().map(Vec::len), &own[0]["name"]), (Some(1), &json!("second")));
    let versions = world.send(request("GET", "/api/dsp/provider/.well-known/dspace-version", "", None)).await;
    let expected = json!({"version": "2025-1", "path": "/second", "binding": "HTTPS", "profile": "second"});
    assert_eq!(versions.is(200).json(), json!({"protocolVersions": [expected]}));
    let nobody = request("GET", "/api/dsp/nobody/.well-known/dspace-version", "", None);
    world.send(nobody).await.is(404);
    ask("DELETE", "/dataspaceprofiles/second", None).await.is(204);
    ask("GET", "/dataspaceprofiles/second", None).await.refused(404);
}
