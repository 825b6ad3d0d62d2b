//! Participant contexts and their DID documents through the Identity API.

use heddle_auth::{ClientAuthentication, NewClient, TokenRefusal, TokenRequest};
use heddle_did::{DidDocument, Relationship, Strictness};
use serde_json::{Value, json};

use crate::support::World;

const PARTICIPANTS: &str = "/api/identity/v1beta/participants";

fn manifest(world: &World, id: &str, did: &str) -> Value {
    json!({
        "participantContextId": id,
        "did": world.did(did).as_str(),
        "active": true,
        "key": {
            "keyId": format!("{}#signing", world.did(did)), "privateKeyAlias": "k",
            "keyGeneratorParams": {"algorithm": "EdDSA", "curve": "ed25519"}
        },
        "serviceEndpoints": [{"id": "is", "type": "IssuerService", "serviceEndpoint": "http://issuer.example"}],
    })
}

#[tokio::test]
async fn a_repeated_creation_gets_the_first_answer_and_another_one_conflicts() {
    let world = World::start().await;
    let admin = world.admin().await;
    let create = |body: &Value, key: &str| {
        world.post(PARTICIPANTS).bearer(&admin).header("idempotency-key", key).json(body).send()
    };
    let body = manifest(&world, "acme", "acme");
    let first = create(&body, "once").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(first.json(), json!({"apiKey": null, "clientId": null, "clientSecret": null}));
    let second = create(&body, "once").await;
    assert_eq!((second.status, &second.text), (200, &first.text));
    let third = create(&body, "twice").await;
    assert_eq!((third.status, third.json()[0]["type"].as_str()), (409, Some("ObjectConflict")));
    let same_did = create(&manifest(&world, "other", "acme"), "third").await;
    assert_eq!(same_did.status, 409, "{}", same_did.text);
    assert_eq!(world.get(&format!("{PARTICIPANTS}/other")).bearer(&admin).send().await.status, 404);
}

#[tokio::test]
async fn a_document_is_served_while_its_participant_is_active() {
    let world = World::start().await;
    let admin = world.admin().await;
    let mut body = manifest(&world, "acme", "a:b:acme");
    body["active"] = json!(false);
    world.post(PARTICIPANTS).bearer(&admin).json(&body).send().await;
    let served = || async { world.get("/a/b/acme/did.json").send().await };
    let activate = |active: bool| {
        let path = format!("{PARTICIPANTS}/acme/state?isActive={active}");
        let call = world.post(&path).bearer(&admin);
        async move { call.send().await.status }
    };
    assert_eq!(served().await.status, 404);
    assert_eq!(activate(true).await, 204);
    let answer = served().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    let did = world.did("a:b:acme");
    let document = DidDocument::parse_for(&did, answer.text.as_bytes()).expect("its own");
    for relationship in Relationship::ALL {
        let kid = did.url("signing");
        let method = document.verification_method_for(Some(&kid), relationship, Strictness::Strict);
        assert_eq!(method.expect("listed").kind, "JsonWebKey2020");
    }
    assert_eq!(document.service_of_type("IssuerService").expect("given").endpoint, "http://issuer.example");
    let own = document.service_of_type("CredentialService").expect("added").endpoint.clone();
    assert_eq!(own, format!("{}/api/credentials/v1/participants/acme", world.url));
    assert_eq!(activate(false).await, 204);
    assert_eq!(served().await.status, 404);
    let state = world.post(&format!("{PARTICIPANTS}/acme/dids/state")).bearer(&admin);
    assert_eq!(state.json(&json!({"did": did.as_str()})).send().await.text, "UNPUBLISHED");
}

#[tokio::test]
async fn other_paths_hold_no_document() {
    let world = World::start().await;
    world.join("acme").await;
    assert_eq!(world.get("/acme/did.json").send().await.status, 200);
    for path in ["/nobody/did.json", "/acme", "/acme/did.json/", "/.well-known/did.json", "/acme/x/did.json"]
    {
        assert_eq!(world.get(path).send().await.status, 404, "{path}");
    }
    let elsewhere = world.get("/acme/did.json").header("host", "example.com").send().await;
    assert_eq!(elsewhere.status, 404, "a document belongs to a host");
}

#[tokio::test]
async fn a_removed_participant_leaves_nothing_and_may_come_back() {
    let world = World::start().await;
    let (did, token) = world.join("acme").await;
    let admin = world.admin().await;
    let path = format!("{PARTICIPANTS}/acme");
    let keys = world.get(&format!("{path}/keypairs")).bearer(&token).send().await.json();
    assert_eq!(keys[0]["keyId"], did.url("key-1"));
    assert_eq!((&keys[0]["state"], &keys[0]["defaultPair"]), (&json!(200), &json!(true)));
    assert!(!keys.to_string().contains("\"d\\\""), "no private member: {keys}");
    let removed = world.call(http::Method::DELETE, &path).bearer(&admin).send().await;
    assert_eq!(removed.status, 204, "{}", removed.text);
    assert_eq!(world.get("/acme/did.json").send().await.status, 404);
    assert_eq!(world.get(&path).bearer(&admin).send().await.status, 404);
    assert_eq!(world.call(http::Method::DELETE, &path).bearer(&admin).send().await.status, 404);
    let again = manifest(&world, "acme", "acme");
    assert_eq!(world.post(PARTICIPANTS).bearer(&admin).json(&again).send().await.status, 200);
    assert_eq!(world.get("/acme/did.json").send().await.status, 200);
}

#[tokio::test]
async fn clients_end_with_their_participant_and_none_is_inherited() {
    let world = World::start().await;
    world.join("acme").await;
    world.join("other").await;
    let (acme, other) = (world.participant("acme"), world.participant("other"));
    world.client(&acme, NewClient::participant()).await;
    let admin = world.admin().await;
    let clients = async |scope| world.clients.clients(&mut world.store.begin(scope)).await.expect("listed");
    assert_eq!((clients(&acme).await.len(), clients(&other).await.len()), (2, 1));
    let removed = world.call(http::Method::DELETE, &format!("{PARTICIPANTS}/acme")).bearer(&admin);
    assert_eq!(removed.send().await.status, 204);
    assert_eq!((clients(&acme).await.len(), clients(&other).await.len()), (0, 1));

    let late = world.client(&acme, NewClient::participant()).await;
    let again = manifest(&world, "acme", "acme");
    assert_eq!(world.post(PARTICIPANTS).bearer(&admin).json(&again).send().await.status, 200);
    assert_eq!(clients(&acme).await, [], "{}", late.client_id);
    let client = ClientAuthentication {
        client_id: late.client_id.to_string(),
        client_secret: late.client_secret.clone(),
    };
    let token = world.clients.token(TokenRequest { client, scope: None }).await;
    assert!(matches!(token, Err(TokenRefusal::InvalidClient)), "{token:?}");
}

#[tokio::test]
async fn who_may_not_learns_nothing_about_what_exists() {
    let world = World::start().await;
    let (_, own) = world.join("acme").await;
    let (_, other) = world.join("other").await;
    let paths = [
        "",
        "/keypairs",
        "/credentials",
        "/credentials/x",
        "/credentials/request/x",
        "/credentials/offers",
        "/events",
    ];
    for context in ["acme", "nobody"] {
        for path in paths {
            let path = format!("{PARTICIPANTS}/{context}{path}");
            assert_eq!(world.get(&path).send().await.status, 401, "{path}");
            assert_eq!(world.get(&path).bearer("not.a.token").send().await.status, 401, "{path}");
            let answer = world.get(&path).bearer(&other).send().await;
            assert_eq!(answer.status, 403, "{path}");
            assert_eq!(answer.json()[0]["type"], "NotAuthorized", "{path}");
        }
    }
    for token in [&own, &other] {
        assert_eq!(world.get(PARTICIPANTS).bearer(token).send().await.status, 403);
        let body = manifest(&world, "third", "third");
        assert_eq!(world.post(PARTICIPANTS).bearer(token).json(&body).send().await.status, 403);
    }
    // The id may be written in base64url, and older clients say v1alpha.
    for path in ["/api/identity/v1beta/participants/YWNtZQ", "/api/identity/v1alpha/participants/acme"] {
        for token in [&own, &world.admin().await] {
            let answer = world.get(path).bearer(token).send().await;
            assert_eq!(answer.json()["participantContextId"], "acme", "{path}");
        }
        assert_eq!(world.get(path).bearer(&other).send().await.status, 403);
    }
}

#[tokio::test]
async fn administrators_see_pages_and_provisioners_no_contents() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.join(name).await;
    }
    let provisioner = world.token(&world.operator(), NewClient::provisioner()).await;
    let ids = |page: &str| {
        let call = world.get(&format!("{PARTICIPANTS}{page}")).bearer(&provisioner);
        async move {
            let all = call.send().await.json();
            all.as_array()
                .expect("an array")
                .iter()
                .map(|one| one["participantContextId"].clone())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(ids("").await, ["a", "b", "c"]);
    assert_eq!(ids("?offset=1&limit=1").await, ["b"]);
    assert_eq!(ids("?offset=3").await, Vec::<Value>::new());
    let credentials = world.get(&format!("{PARTICIPANTS}/a/credentials")).bearer(&provisioner).send().await;
    assert_eq!(credentials.status, 403, "contents are not the provisioner's");
    let request =
        world.get(&format!("{PARTICIPANTS}/a/credentials/request/x")).bearer(&provisioner).send().await;
    assert_eq!(request.status, 404, "how far a request is, is");
}

#[tokio::test]
async fn what_is_wrong_with_a_manifest_is_said() {
    let world = World::start().await;
    let admin = world.admin().await;
    let mut body = manifest(&world, "acme", "acme");
    body["key"]["keyGeneratorParams"]["algorithm"] = json!("RSA");
    let answer = world.post(PARTICIPANTS).bearer(&admin).json(&body).send().await;
    assert_eq!((answer.status, &answer.json()[0]["path"]), (400, &json!("/key/keyGeneratorParams")));
    let answer = world.post(PARTICIPANTS).bearer(&admin).json(&json!({"did": "did:web:x"})).send().await;
    assert_eq!(answer.status, 400, "{}", answer.text);
}

#[tokio::test]
async fn settings_are_the_participants_own() {
    let world = World::start().await;
    let (_, own) = world.join("acme").await;
    let (_, other) = world.join("other").await;
    let path = format!("{PARTICIPANTS}/acme/settings");
    let put =
        |token: &str, body: &Value| world.call(http::Method::PUT, &path).bearer(token).json(body).send();
    let settings = json!({"acceptUnsolicitedFrom": ["did:web:issuer.example"], "requireWriteGrant": true});
    assert_eq!(put(&other, &settings).await.status, 403);
    assert_eq!(put(&own, &json!({"acceptUnsolicitedFrom": ["nobody"]})).await.status, 400);
    assert_eq!(put(&own, &settings).await.status, 204);
    let shown = world.get(&format!("{PARTICIPANTS}/acme")).bearer(&own).send().await.json();
    assert_eq!(shown["settings"], settings);
}

#[tokio::test]
async fn the_key_that_signs_credentials_is_published_for_the_issuer_service() {
    let world = World::start().await;
    let admin = world.admin().await;
    for (name, usage, expected) in
        [("issuer", json!(["sign_token", "sign_credentials"]), true), ("plain", json!(["sign_token"]), false)]
    {
        let mut body = manifest(&world, name, name);
        body["key"]["usage"] = usage;
        let made = world.post(PARTICIPANTS).bearer(&admin).json(&body).send().await;
        assert_eq!(made.status, 200, "{}", made.text);
        let row = world.store.lookup("holder", name).await.expect("read").expect("published");
        let row: Value = row.value().expect("JSON");
        let kid = row["signingKey"]["kid"].as_str();
        assert_eq!(kid, expected.then(|| world.did(name).url("signing")).as_deref());
        assert_eq!(row["signingKey"]["alias"].is_string(), expected);
    }
}
