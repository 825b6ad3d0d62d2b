//! The secure token service, and the feed of events.

use futures::StreamExt;
use heddle_auth::NewClient;
use heddle_dcp::{Rules, token::self_issued};
use heddle_did::{Did, DidDocument};
use heddle_outbound::{Authorization, Request};
use serde_json::json;

use crate::{
    peer::Peer,
    support::{Answer, World, now, soon},
};

const TOKEN: &str = "/api/sts/token";

async fn ask(world: &World, client: (&str, &str), more: &[(&str, &str)]) -> Answer {
    let mut fields =
        vec![("grant_type", "client_credentials"), ("client_id", client.0), ("client_secret", client.1)];
    fields.extend(more);
    world.post(TOKEN).form(&fields).send().await
}

#[tokio::test]
async fn a_participants_software_gets_self_issued_tokens() {
    let world = World::start().await;
    let (did, _) = world.join("acme").await;
    let client = world.client(&world.participant("acme"), NewClient::participant()).await;
    let secret = client.client_secret.expose_text().expect("text");
    let client = (client.client_id.as_str(), secret);
    let verifier = Did::parse("did:web:verifier.example").expect("legal");
    let document = world.get("/acme/did.json").send().await;
    let document = DidDocument::parse_for(&did, document.text.as_bytes()).expect("its document");
    let audience = ("audience", verifier.as_str());
    let proof = |answer: &Answer| {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(300)));
        let token = body["access_token"].as_str().expect("a token").to_owned();
        self_issued::verify(&token, &document, &verifier, now(), &Rules::default()).expect("holds")
    };
    assert_eq!(proof(&ask(&world, client, &[audience]).await).access_token(), None);
    let given = proof(&ask(&world, client, &[audience, ("token", "opaque")]).await);
    assert_eq!(given.access_token(), Some("opaque"));
    let scope = "org.eclipse.dspace.dcp.vc.type:A:read org.eclipse.dspace.dcp.vc.type:B:read";
    let minted = proof(&ask(&world, client, &[audience, ("bearer_access_scope", scope)]).await);
    let minted = heddle_jose::Token::parse(minted.access_token().expect("minted")).expect("a token");
    let claims = minted.claims_unverified();
    assert_eq!(claims["scope"], scope);
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["sub"]),
        (&json!(did.as_str()), &json!(did.as_str()), &json!(verifier.as_str()))
    );
}

#[tokio::test]
async fn refusals_speak_oauth() {
    let world = World::start().await;
    world.join("acme").await;
    let made = world.client(&world.participant("acme"), NewClient::participant()).await;
    let secret = made.client_secret.expose_text().expect("text");
    let client = (made.client_id.as_str(), secret);
    let admin = world.client(&world.operator(), NewClient::admin()).await;
    let admin_secret = admin.client_secret.expose_text().expect("text");
    let idle = world.client(&world.participant("nobody"), NewClient::participant()).await;
    let idle_secret = idle.client_secret.expose_text().expect("text");
    let narrow = NewClient::participant().with_scopes(vec!["management-api:write".to_owned()]);
    let narrow = world.client(&world.participant("other"), narrow).await;
    let narrow_secret = narrow.client_secret.expose_text().expect("text");
    let audience = ("audience", "did:web:verifier.example");
    let (scope, token) = (("bearer_access_scope", "org.eclipse.dspace.dcp.vc.type:A:read"), ("token", "x"));
    for (case, client, more, status, error) in [
        ("wrong secret", (client.0, "wrong"), vec![audience], 401, "invalid_client"),
        ("unknown client", ("nobody", "wrong"), vec![audience], 401, "invalid_client"),
        ("no participant", (admin.client_id.as_str(), admin_secret), vec![audience], 401, "invalid_client"),
        ("not its scope", (narrow.client_id.as_str(), narrow_secret), vec![audience], 400, "invalid_scope"),
        (
            "no context here",
            (idle.client_id.as_str(), idle_secret),
            vec![audience],
            400,
            "unauthorized_client",
        ),
        ("no audience", client, vec![], 400, "invalid_request"),
        ("audience is no DID", client, vec![("audience", "x")], 400, "invalid_request"),
        ("both tokens", client, vec![audience, scope, token], 400, "invalid_request"),
        ("scope is none", client, vec![audience, ("bearer_access_scope", "*")], 400, "invalid_request"),
    ] {
        let answer = ask(&world, client, &more).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{case}");
        assert!(!answer.text.contains(secret), "{case}");
    }
}

#[tokio::test]
async fn the_feed_tells_what_happens_and_is_resumable() {
    let world = World::start().await;
    let (_, token) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    let path = format!("{}/api/identity/v1beta/participants/acme/events?after=0", world.url);
    let request = || Request::get(&path).authorization(Authorization::bearer(&token));
    let mut feed = world.outbound.stream(request()).await.expect("a feed");
    assert_eq!(feed.headers()["content-type"], "text/event-stream");
    crate::issuance::requested(&world, &issuer, &token, "pid-1").await;
    let mut seen = String::new();
    while !seen.contains("event: credential.request.requested") {
        let chunk = feed.next().await.expect("it goes on").expect("it arrives");
        seen.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    assert!(seen.starts_with(": open 0\n\n"), "{seen}");
    let first = seen.find("event: credential.request.created").expect("told first");
    assert!(first < seen.find("event: credential.request.requested").expect("told"), "{seen}");
    let id = seen.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id").to_owned();
    let again = Request::get(&path)
        .authorization(Authorization::bearer(&token))
        .header(http::HeaderName::from_static("last-event-id"), id.parse().expect("a value"));
    let mut feed = world.outbound.stream(again).await.expect("a feed");
    let mut resumed = String::new();
    while !resumed.contains("event: credential.request.requested") {
        resumed
            .push_str(std::str::from_utf8(&feed.next().await.expect("on").expect("arrives")).expect("text"));
    }
    assert!(!resumed.contains("credential.request.created"), "{resumed}");
    world.stop.stop();
    while let Some(chunk) = feed.next().await {
        chunk.expect("the stream ends in order");
    }
}

#[tokio::test]
async fn a_feed_ends_with_its_participant_context() {
    let world = World::start().await;
    let (_, token) = world.join("acme").await;
    let path = format!("{}/api/identity/v1beta/participants/acme", world.url);
    let feed = Request::get(format!("{path}/events")).authorization(Authorization::bearer(&token));
    let mut feed = world.outbound.stream(feed).await.expect("a feed");
    let admin = world.admin().await;
    let path = "/api/identity/v1beta/participants/acme";
    assert_eq!(world.call(http::Method::DELETE, path).bearer(&admin).send().await.status, 204);
    world.join("acme").await;
    let mut seen = String::new();
    let end = async {
        while let Some(chunk) = feed.next().await {
            seen.push_str(std::str::from_utf8(&chunk.expect("the stream ends in order")).expect("text"));
        }
    };
    soon("the end of the feed", end).await;
    assert!(!seen.contains("event: "), "{seen}");
}
