//! Requests that must be refused, and the public metadata (conformance: CredentialRequestTest, IssuerMetadataTest).

use heddle_did::Did;
use heddle_jose::{Algorithm, SoftwareKey};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    fixtures::{issuing, member},
    holder::{Holder, wanted},
    support::{ADMIN, DCP, World, now},
};

async fn ask(world: &World, token: &str, body: &Value) -> Answer {
    world.post(&format!("{DCP}/credentials")).bearer(token).json(body).send().await
}

#[tokio::test]
async fn tokens_that_do_not_hold_are_refused_alike() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let stranger = Holder::start().await;
    let (at, aud) = (now().as_seconds(), &world.did);
    let other = Did::parse("did:web:thirdparty.example").expect("legal");
    let spoofed = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
    let body = wanted("pid-1", &["membership-def"]);
    let mut texts = std::collections::BTreeSet::new();
    for (why, bearer) in [
        ("wrong key", holder.token_with(&spoofed, aud, &json!({}))),
        ("expired", holder.token(aud, &json!({"iat": at - 120, "exp": at - 60}))),
        ("issued in the future", holder.token(aud, &json!({"iat": at + 60}))),
        ("not yet valid", holder.token(aud, &json!({"nbf": at + 60}))),
        ("another audience", holder.token(&other, &json!({}))),
        ("another subject", holder.token(aud, &json!({"sub": other.as_str()}))),
        ("another issuer", holder.token(aud, &json!({"iss": other.as_str()}))),
        ("no id", holder.token(aud, &json!({"jti": null}))),
        ("not registered", stranger.token(aud, &json!({}))),
        ("no token", "abc".to_owned()),
    ] {
        let answer = ask(&world, &bearer, &body).await;
        assert_eq!(answer.status, 401, "{why}: {}", answer.text);
        texts.insert(answer.text);
    }
    assert_eq!(texts.len(), 1, "no answer tells more than another: {texts:?}");
    let good = holder.token(aud, &json!({}));
    let call = || world.post(&format!("{DCP}/credentials")).json(&body);
    assert_eq!(call().send().await.status, 401, "no header");
    assert_eq!(call().authorization(&good).send().await.status, 401, "no scheme");
    assert_eq!(ask(&world, &good, &body).await.status, 201, "and the token itself was good");
}

#[tokio::test]
async fn a_token_is_good_once_whatever_came_of_it() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let bearer = holder.token(&world.did, &json!({}));
    let body = wanted("pid-1", &["membership-def"]);
    assert_eq!(ask(&world, &bearer, &body).await.status, 201);
    assert_eq!(ask(&world, &bearer, &body).await.status, 401);
    let location = format!("{DCP}/requests/any");
    assert_eq!(world.get(&location).bearer(&bearer).send().await.status, 401);
    let refused = holder.token(&world.did, &json!({}));
    assert_eq!(ask(&world, &refused, &wanted("pid-2", &["nothing"])).await.status, 400);
    assert_eq!(ask(&world, &refused, &body).await.status, 401, "a refused request uses its token up too");
}

#[tokio::test]
async fn messages_that_are_malformed_are_refused() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let good = wanted("pid-1", &["membership-def"]);
    for (pointer, change) in [
        ("", json!({"credentials": null})),
        ("", json!({"holderPid": null})),
        ("", json!({"@context": null})),
        ("/type", json!({"type": "CredentialOfferMessage"})),
        ("/credentials", json!({"credentials": []})),
        ("/credentials/1/id", json!({"credentials": [{"id": "membership-def"}, {"id": "membership-def"}]})),
    ] {
        let mut body = good.clone();
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        let answer = ask(&world, &holder.token(&world.did, &json!({})), &body).await;
        assert_eq!((answer.status, &answer.json()[0]["path"]), (400, &json!(pointer)), "{change}");
    }
    assert!(holder.has_nothing_more().await);
}

#[tokio::test]
async fn an_issuer_that_is_not_active_or_not_there_knows_nobody() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let body = wanted("pid-1", &["membership-def"]);
    let nowhere = "/api/issuance/v1beta/participants/nobody";
    let bearer = holder.token(&world.did, &json!({}));
    let answer = world.post(&format!("{nowhere}/credentials")).bearer(&bearer).json(&body).send().await;
    assert_eq!(answer.status, 401);
    assert_eq!(world.get(&format!("{nowhere}/metadata")).send().await.status, 404);
    world.publish_context("issuer", false).await;
    assert_eq!(ask(&world, &holder.token(&world.did, &json!({})), &body).await.status, 401);
    assert_eq!(world.get(&format!("{DCP}/metadata")).send().await.status, 404);
}

#[tokio::test]
async fn metadata_is_public_and_follows_the_definitions() {
    let world = World::start().await;
    let empty = world.get(&format!("{DCP}/metadata")).send().await.json();
    assert_eq!(empty["credentialsSupported"], json!([]));
    let token = issuing(&world).await;
    let metadata = world.get("/api/issuance/v1alpha/participants/issuer/metadata").send().await;
    assert_eq!(metadata.status, 200);
    let metadata = metadata.json();
    assert_eq!(
        (&metadata["type"], &metadata["issuer"]),
        (&json!("IssuerMetadata"), &json!(world.did.as_str()))
    );
    let object = &metadata["credentialsSupported"][0];
    assert_eq!(object["id"], "membership-def");
    assert_eq!(object["profile"], "vc11-sl2021/jwt");
    assert_eq!(object["credentialSchema"], "https://example.com/schema/membership.json");
    assert_eq!((&object["bindingMethods"], &object["offerReason"]), (&json!(["did:web"]), &json!("reissue")));
    assert!(object["issuancePolicy"].is_object());
    let gone = format!("{ADMIN}/credentialdefinitions/membership-def");
    assert_eq!(world.call(http::Method::DELETE, &gone).bearer(&token).send().await.status, 204);
    let metadata = world.get(&format!("{DCP}/metadata")).send().await.json();
    assert_eq!(metadata["credentialsSupported"], json!([]));
}
