//! Deliveries that are not taken: nothing is stored, and the request stays as it was.

use heddle_did::Did;
use heddle_jose::{Algorithm, SoftwareKey};
use serde_json::{Value, json};

use crate::{
    issuance::{CREDENTIALS, STORAGE, deliver, requested, status, stored},
    peer::{Peer, delivery, hours},
    support::{World, now},
};

const TYPE: &str = "MembershipCredential";

/// A participant `acme` that waits for a credential under `pid-1`.
struct Waiting {
    world: World,
    did: Did,
    token: String,
    issuer: Peer,
    /// The grant that went out with the request.
    grant: String,
}

impl Waiting {
    async fn new(settings: &Value) -> Self {
        let world = World::start().await;
        let (did, token) = world.join_with("acme", settings).await;
        let issuer = Peer::start("issuer").await;
        let bearer = requested(&world, &issuer, &token, "pid-1").await;
        let bearer = heddle_jose::Token::parse(&bearer).expect("a token");
        let grant = bearer.claims_unverified()["token"].as_str().expect("a grant").to_owned();
        Self { world, did, token, issuer, grant }
    }

    fn message(&self) -> Value {
        delivery("pid-1", &[(TYPE, &self.issuer.credential(TYPE, &self.did))])
    }

    async fn untouched(&self, case: &str) {
        assert_eq!(stored(&self.world, &self.token).await, 0, "{case}: nothing is stored");
        assert_eq!(status(&self.world, &self.token, "pid-1").await["status"], "REQUESTED", "{case}");
    }
}

#[tokio::test]
async fn a_sender_that_does_not_prove_itself_is_unauthorized() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, did, issuer, .. } = &waiting;
    let message = waiting.message();
    let good = issuer.token(did, &json!({}));
    assert_eq!(world.post(STORAGE).json(&message).send().await.status, 401, "no header");
    assert_eq!(
        world.post(STORAGE).authorization(&good).json(&message).send().await.status,
        401,
        "no 'Bearer'"
    );
    let other = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
    let at = now();
    let cases = [
        ("wrong key", issuer.token_with(&other, did, &json!({}))),
        ("expired", issuer.token(did, &json!({"iat": hours(at, -2), "exp": hours(at, -1)}))),
        ("issued in the future", issuer.token(did, &json!({"iat": hours(at, 1), "exp": hours(at, 2)}))),
        ("not valid yet", issuer.token(did, &json!({"nbf": hours(at, 1), "exp": hours(at, 2)}))),
        ("other audience", issuer.token(&issuer.did, &json!({}))),
        ("iss is not sub", issuer.token(did, &json!({"sub": "did:web:example.com"}))),
        ("no jti", issuer.token(did, &json!({"jti": null}))),
        ("not a token", "nonsense".to_owned()),
    ];
    for (case, bearer) in cases {
        let answer = world.post(STORAGE).bearer(&bearer).json(&message).send().await;
        assert_eq!(
            (answer.status, &answer.json()[0]["type"]),
            (401, &json!("AuthenticationFailed")),
            "{case}"
        );
        waiting.untouched(case).await;
    }
}

#[tokio::test]
async fn only_the_issuer_that_was_asked_may_deliver() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, did, .. } = &waiting;
    let stranger = Peer::start("stranger").await;
    let message = delivery("pid-1", &[(TYPE, &stranger.credential(TYPE, did))]);
    assert_eq!(deliver(world, &stranger, did, &message).await.status, 404);
    waiting.untouched("a stranger with its own credential").await;
    let message = delivery("pid-1", &[(TYPE, &waiting.issuer.credential(TYPE, did))]);
    assert_eq!(deliver(world, &stranger, did, &message).await.status, 404);
    waiting.untouched("a stranger with the issuer's credential").await;
}

#[tokio::test]
async fn a_request_of_another_participant_does_not_exist() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, issuer, .. } = &waiting;
    let (other, other_token) = world.join("other").await;
    let message = delivery("pid-1", &[(TYPE, &issuer.credential(TYPE, &other))]);
    let bearer = issuer.token(&other, &json!({}));
    let storage = "/api/credentials/v1/participants/other/credentials";
    assert_eq!(world.post(storage).bearer(&bearer).json(&message).send().await.status, 404);
    waiting.untouched("the request of acme").await;
    let theirs = world.get("/api/identity/v1beta/participants/other/credentials").bearer(&other_token);
    assert_eq!(theirs.send().await.json(), json!([]));
    let nobody = "/api/credentials/v1/participants/nobody/credentials";
    let bearer = issuer.token(&other, &json!({}));
    assert_eq!(world.post(nobody).bearer(&bearer).json(&message).send().await.status, 404);
}

#[tokio::test]
async fn one_bad_credential_sinks_the_delivery() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, did, issuer, .. } = &waiting;
    let stranger = Peer::start("stranger").await;
    let good = issuer.credential(TYPE, did);
    let mut expired = issuer.draft(TYPE, did);
    expired.issued_at = expired.issued_at - std::time::Duration::from_secs(7200);
    expired.valid_until = expired.issued_at + std::time::Duration::from_secs(3600);
    let mut foreign = issuer.draft(TYPE, did);
    foreign.issuer = stranger.did.to_string();
    let cases = [
        ("signature", 400, TYPE, issuer.signed(&issuer.draft(TYPE, did), &stranger.key)),
        ("issuer", 400, TYPE, stranger.credential(TYPE, did)),
        ("issuer binding", 400, TYPE, issuer.signed(&foreign, &issuer.key)),
        ("subject", 400, TYPE, issuer.credential(TYPE, &stranger.did)),
        ("not requested", 403, "Other", issuer.credential("Other", did)),
        ("expired", 400, TYPE, issuer.signed(&expired, &issuer.key)),
        ("no credential", 400, TYPE, "nonsense".to_owned()),
    ];
    for (case, expected, kind, bad) in cases {
        let message = delivery("pid-1", &[(TYPE, &good), (kind, &bad)]);
        let answer = deliver(world, issuer, did, &message).await;
        assert_eq!(answer.status, expected, "{case}: {}", answer.text);
        waiting.untouched(case).await;
    }
    let mut format = delivery("pid-1", &[(TYPE, &good)]);
    format["credentials"][0]["format"] = json!("vc20-bssl/jwt");
    assert_eq!(deliver(world, issuer, did, &format).await.status, 400);
    waiting.untouched("format").await;
}

#[tokio::test]
async fn malformed_messages_are_refused() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, did, issuer, .. } = &waiting;
    let change = |member: &str, value: Option<Value>| {
        let mut message = waiting.message();
        let members = message.as_object_mut().expect("an object");
        match value {
            Some(value) => members.insert(member.to_owned(), value),
            None => members.remove(member),
        };
        message
    };
    for (case, message) in [
        ("no holderPid", change("holderPid", None)),
        ("no issuerPid", change("issuerPid", None)),
        ("issued without credentials", change("credentials", None)),
        ("issued with none", change("credentials", Some(json!([])))),
        ("rejected with credentials", change("status", Some(json!("REJECTED")))),
        ("unknown status", change("status", Some(json!("INVALID_STATUS")))),
        ("another message", change("type", Some(json!("CredentialOfferMessage")))),
    ] {
        assert_eq!(deliver(world, issuer, did, &message).await.status, 400, "{case}");
        waiting.untouched(case).await;
    }
}

#[tokio::test]
async fn a_rejection_ends_the_request_with_its_reason() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, did, issuer, token, .. } = &waiting;
    let mut message = waiting.message();
    message["status"] = json!("REJECTED");
    message["rejectionReason"] = json!("not a member");
    message.as_object_mut().expect("an object").remove("credentials");
    for _ in 0..2 {
        assert_eq!(deliver(world, issuer, did, &message).await.status, 200, "a repeat is fine");
    }
    let request = status(world, token, "pid-1").await;
    assert_eq!((&request["status"], &request["reason"]), (&json!("REJECTED"), &json!("not a member")));
    let event = world.event("acme", "credential.request.rejected").await;
    assert!(event.payload.contains("not a member"), "{}", event.payload);
    let late = deliver(world, issuer, did, &waiting.message()).await;
    assert_eq!(late.status, 400, "a rejected request takes no credentials: {}", late.text);
    assert_eq!(stored(world, token).await, 0);
}

#[tokio::test]
async fn a_repeated_delivery_changes_nothing_and_a_token_serves_once() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, did, issuer, token, .. } = &waiting;
    let message = waiting.message();
    let bearer = issuer.token(did, &json!({}));
    let post = |bearer: &str| world.post(STORAGE).bearer(bearer).json(&message).send();
    assert_eq!(post(&bearer).await.status, 200);
    assert_eq!(post(&bearer).await.status, 401, "the same token again");
    assert_eq!(deliver(world, issuer, did, &message).await.status, 200, "the same delivery again");
    assert_eq!(stored(world, token).await, 1);
    // The same credential with a new text replaces the old one; another one stands beside it.
    let mut draft = issuer.draft(TYPE, did);
    for (level, count) in [("gold", 2), ("silver", 2)] {
        draft.claims.insert("level".to_owned(), json!(level));
        let reissued = issuer.signed(&draft, &issuer.key);
        assert_eq!(deliver(world, issuer, did, &delivery("pid-1", &[(TYPE, &reissued)])).await.status, 200);
        assert_eq!(stored(world, token).await, count, "{level}");
        let all = world.get(CREDENTIALS).bearer(token).send().await;
        assert!(all.text.contains(&reissued), "{level}");
    }
}

#[tokio::test]
async fn the_token_of_a_refused_delivery_may_serve_for_a_better_one() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, did, issuer, .. } = &waiting;
    let bearer = issuer.token(did, &json!({}));
    let bad = delivery("pid-1", &[(TYPE, "nonsense")]);
    assert_eq!(world.post(STORAGE).bearer(&bearer).json(&bad).send().await.status, 400);
    assert_eq!(world.post(STORAGE).bearer(&bearer).json(&waiting.message()).send().await.status, 200);
}

#[tokio::test]
async fn a_grant_that_comes_back_must_be_the_one_that_went_out() {
    let waiting = Waiting::new(&json!({})).await;
    let Waiting { world, did, issuer, token, grant, .. } = &waiting;
    requested(world, issuer, token, "pid-2").await;
    let elsewhere = delivery("pid-2", &[(TYPE, &issuer.credential(TYPE, did))]);
    let own_token = issuer.token(did, &json!({}));
    for (case, message, grant) in [
        ("a text", waiting.message(), "nonsense"),
        ("a token of the issuer", waiting.message(), own_token.as_str()),
        ("the grant of another request", elsewhere, grant.as_str()),
    ] {
        let bearer = issuer.token(did, &json!({"token": grant}));
        assert_eq!(world.post(STORAGE).bearer(&bearer).json(&message).send().await.status, 401, "{case}");
    }
    waiting.untouched("wrong grants").await;
    let bearer = issuer.token(did, &json!({"token": grant}));
    assert_eq!(world.post(STORAGE).bearer(&bearer).json(&waiting.message()).send().await.status, 200);
}

#[tokio::test]
async fn a_strict_participant_demands_its_grant() {
    let waiting = Waiting::new(&json!({"requireWriteGrant": true})).await;
    let Waiting { world, did, issuer, grant, .. } = &waiting;
    assert_eq!(deliver(world, issuer, did, &waiting.message()).await.status, 401);
    waiting.untouched("no grant").await;
    let bearer = issuer.token(did, &json!({"token": grant}));
    assert_eq!(world.post(STORAGE).bearer(&bearer).json(&waiting.message()).send().await.status, 200);
}

#[tokio::test]
async fn deliveries_that_nobody_asked_for_come_from_listed_issuers_alone() {
    let (issuer, stranger) = (Peer::start("issuer").await, Peer::start("stranger").await);
    let world = World::start().await;
    let (did, token) =
        world.join_with("acme", &json!({"acceptUnsolicitedFrom": [issuer.did.as_str()]})).await;
    for count in 1..=2 {
        let message = delivery("whatever", &[(TYPE, &issuer.credential(TYPE, &did))]);
        assert_eq!(deliver(&world, &issuer, &did, &message).await.status, 200);
        assert_eq!(stored(&world, &token).await, count);
    }
    let message = delivery("whatever", &[(TYPE, &stranger.credential(TYPE, &did))]);
    assert_eq!(deliver(&world, &stranger, &did, &message).await.status, 404);
    let message = delivery("whatever", &[(TYPE, &stranger.credential(TYPE, &did))]);
    assert_eq!(deliver(&world, &issuer, &did, &message).await.status, 400, "of its own credentials only");
    assert_eq!(stored(&world, &token).await, 2);
}

#[tokio::test]
async fn a_credential_that_is_delivered_many_times_at_one_moment_is_taken_each_time() {
    let issuer = Peer::start("issuer").await;
    let world = World::start().await;
    let (did, token) =
        world.join_with("acme", &json!({"acceptUnsolicitedFrom": [issuer.did.as_str()]})).await;
    let message = delivery("whatever", &[(TYPE, &issuer.credential(TYPE, &did))]);
    let deliveries = (0..8).map(|_| deliver(&world, &issuer, &did, &message));
    let answers = futures::future::join_all(deliveries).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200; 8]);
    assert_eq!(stored(&world, &token).await, 1);
}
