//! Queries of verifiers: what is shown, and to whom not.

use heddle_did::{Did, DidDocument};
use heddle_jose::{Algorithm, SoftwareKey};
use serde_json::{Value, json};

use crate::{
    issuance::{access_token, deliver, verify},
    peer::{Peer, delivery, hours, unique},
    support::{Answer, World, now},
};

pub const QUERY: &str = "/api/credentials/v1/participants/acme/presentations/query";
const MEMBERSHIP: &str = "MembershipCredential";
const SENSITIVE: &str = "SensitiveDataCredential";

pub fn query(types: &[&str]) -> Value {
    scopes(
        &types
            .iter()
            .map(|kind| json!(format!("org.eclipse.dspace.dcp.vc.type:{kind}:read")))
            .collect::<Vec<_>>(),
    )
}

fn scopes(scopes: &[Value]) -> Value {
    message(&json!({"scope": scopes}))
}

fn message(members: &Value) -> Value {
    let mut message = json!({
        "@context": ["https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"], "type": "PresentationQueryMessage",
    });
    let own = message.as_object_mut().expect("an object");
    own.extend(members.as_object().expect("an object").clone());
    message
}

/// A participant `acme` that holds one credential of each type, and a verifier.
struct Holding {
    world: World,
    did: Did,
    document: DidDocument,
    verifier: Peer,
    membership: String,
    sensitive: String,
}

impl Holding {
    async fn new() -> Self {
        let (issuer, verifier) = (Peer::start("issuer").await, Peer::start("verifier").await);
        let world = World::start().await;
        let settings = json!({"acceptUnsolicitedFrom": [issuer.did.as_str()]});
        let (did, _) = world.join_with("acme", &settings).await;
        let (membership, sensitive) =
            (issuer.credential(MEMBERSHIP, &did), issuer.credential(SENSITIVE, &did));
        let both = delivery("seed", &[(MEMBERSHIP, &membership), (SENSITIVE, &sensitive)]);
        assert_eq!(deliver(&world, &issuer, &did, &both).await.status, 200);
        let document = world.get("/acme/did.json").send().await;
        let document = DidDocument::parse_for(&did, document.text.as_bytes()).expect("its document");
        Self { world, did, document, verifier, membership, sensitive }
    }

    /// A self-issued token of the verifier with a fresh access token for these types.
    async fn bearer(&self, granted: &[&str]) -> String {
        let access = access_token(&self.world, &self.verifier.did, granted).await;
        self.verifier.token(&self.did, &json!({"token": access}))
    }

    async fn ask(&self, bearer: &str, body: &Value) -> Answer {
        self.world.post(QUERY).bearer(bearer).json(body).send().await
    }

    async fn shows(&self, granted: &[&str], asked: &Value, expected: &[&str]) {
        let answer = self.ask(&self.bearer(granted).await, asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        if expected.is_empty() {
            assert_eq!(answer.json()["presentation"], json!([]));
        } else {
            verify(&answer.json(), &self.document, &self.verifier.did, expected);
        }
    }
}

#[tokio::test]
async fn what_is_both_asked_and_granted_is_shown() {
    let holding = Holding::new().await;
    let (membership, sensitive) = (holding.membership.as_str(), holding.sensitive.as_str());
    holding.shows(&[MEMBERSHIP], &query(&[MEMBERSHIP]), &[membership]).await;
    holding.shows(&[MEMBERSHIP, SENSITIVE], &query(&[SENSITIVE]), &[sensitive]).await;
    holding.shows(&[MEMBERSHIP, SENSITIVE], &query(&[MEMBERSHIP, SENSITIVE]), &[membership, sensitive]).await;
    holding.shows(&[MEMBERSHIP], &query(&[MEMBERSHIP, SENSITIVE]), &[membership]).await;
    holding.shows(&[MEMBERSHIP], &query(&[SENSITIVE]), &[]).await;
    holding.shows(&[MEMBERSHIP], &query(&["Member"]), &[]).await;
    for escalation in
        ["*", "org.eclipse.dspace.dcp.vc.type:*:read", "org.eclipse.dspace.dcp.vc.type:Sensitive:all"]
    {
        holding.shows(&[MEMBERSHIP], &scopes(&[json!(escalation)]), &[]).await;
    }
    let two_parts = scopes(&[json!(format!("org.eclipse.dspace.dcp.vc.type:{MEMBERSHIP}"))]);
    holding.shows(&[MEMBERSHIP], &two_parts, &[membership]).await;
}

#[tokio::test]
async fn messages_are_judged_before_tokens() {
    let holding = Holding::new().await;
    let definition = json!({"id": "x", "input_descriptors": [{"id": "credential"}]});
    let both = message(&json!({"scope": ["a"], "presentationDefinition": definition}));
    for (case, body, expected) in [
        ("both", both, 400),
        ("neither", message(&json!({})), 400),
        ("no scopes", scopes(&[]), 400),
        ("an empty definition", message(&json!({"presentationDefinition": {}})), 400),
        ("a null definition", message(&json!({"presentationDefinition": null})), 400),
        ("a definition", message(&json!({"presentationDefinition": definition})), 501),
    ] {
        let access = holding.bearer(&[MEMBERSHIP]).await;
        assert_eq!(holding.ask(&access, &body).await.status, expected, "{case}");
        assert_eq!(holding.ask("nonsense", &body).await.status, expected, "{case}, with a bad token");
    }
    let body = query(&[MEMBERSHIP]);
    assert_eq!(holding.world.post(QUERY).json(&body).send().await.status, 401, "no header");
    let bearer = holding.bearer(&[MEMBERSHIP]).await;
    let naked = holding.world.post(QUERY).authorization(&bearer).json(&body).send().await;
    assert_eq!(naked.status, 401, "no 'Bearer'");
    let nobody = "/api/credentials/v1/participants/nobody/presentations/query";
    assert_eq!(holding.world.post(nobody).bearer(&bearer).json(&body).send().await.status, 404);
    assert_eq!(holding.ask(&bearer, &body).await.status, 200, "nothing of this has used the token up");
}

#[tokio::test]
async fn tokens_serve_once() {
    let holding = Holding::new().await;
    let body = query(&[MEMBERSHIP]);
    let jti = unique();
    let access = |_| access_token(&holding.world, &holding.verifier.did, &[MEMBERSHIP]);
    let token =
        |access: &str, jti: &str| holding.verifier.token(&holding.did, &json!({"jti": jti, "token": access}));
    let (first, second) = (access(1).await, access(2).await);
    assert_eq!(holding.ask(&token(&first, &jti), &body).await.status, 200);
    assert_eq!(holding.ask(&token(&second, &jti), &body).await.status, 401, "the same self-issued token");
    assert_eq!(holding.ask(&token(&first, &unique()), &body).await.status, 401, "the same access token");
    assert_eq!(holding.ask(&token(&second, &unique()), &body).await.status, 200);
}

#[tokio::test]
async fn an_access_token_serves_the_verifier_that_it_was_made_for() {
    let holding = Holding::new().await;
    let (world, did, verifier) = (&holding.world, &holding.did, &holding.verifier);
    let third = Peer::start("third").await;
    let access = access_token(world, &verifier.did, &[MEMBERSHIP]).await;
    let own = holding.bearer(&[MEMBERSHIP]).await;
    let to_verifier = {
        let audience = verifier.did.as_str().parse().expect("legal");
        let tokens = world.service.self_issued_tokens();
        tokens.token(&world.participant("acme"), &audience, &[], None).await.expect("issued")
    };
    let (other, _) = world.join("other").await;
    let of_other = {
        let audience = verifier.did.as_str().parse().expect("legal");
        let scope = vec![format!("org.eclipse.dspace.dcp.vc.type:{MEMBERSHIP}:read")];
        let tokens = world.service.self_issued_tokens();
        let outer = tokens.token(&world.participant("other"), &audience, &scope, None).await.expect("issued");
        let outer = heddle_jose::Token::parse(&outer).expect("a token");
        outer.claims_unverified()["token"].as_str().expect("an access token").to_owned()
    };
    let shown = holding.ask(&holding.bearer(&[MEMBERSHIP]).await, &query(&[MEMBERSHIP])).await.json();
    let presentation = shown["presentation"][0].as_str().expect("a JWT").to_owned();
    for (case, token) in [
        ("another verifier", third.token(did, &json!({"token": access}))),
        ("no access token", verifier.token(did, &json!({}))),
        ("a text", verifier.token(did, &json!({"token": "faketoken"}))),
        ("the token itself", verifier.token(did, &json!({"token": own}))),
        ("a self-issued token of the holder", verifier.token(did, &json!({"token": to_verifier}))),
        ("an access token of another tenant", verifier.token(did, &json!({"token": of_other}))),
        ("a presentation", verifier.token(did, &json!({"token": presentation}))),
        ("a credential", verifier.token(did, &json!({"token": holding.membership}))),
    ] {
        assert_eq!(holding.ask(&token, &query(&[MEMBERSHIP])).await.status, 401, "{case}");
    }
    let elsewhere = "/api/credentials/v1/participants/other/presentations/query";
    let replayed = world.post(elsewhere).bearer(&own).json(&query(&[MEMBERSHIP])).send().await;
    assert_eq!(replayed.status, 401, "a token for acme is none for {other}");
}

#[tokio::test]
async fn a_verifier_that_does_not_prove_itself_sees_nothing() {
    let holding = Holding::new().await;
    let (did, verifier) = (&holding.did, &holding.verifier);
    let access = access_token(&holding.world, &verifier.did, &[MEMBERSHIP]).await;
    let at = now();
    let with = |claims: Value| {
        let mut all = json!({"token": access});
        all.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        all
    };
    let other = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
    for (case, token) in [
        ("iss is not sub", verifier.token(did, &with(json!({"sub": "did:web:third.example"})))),
        ("another audience", verifier.token(&verifier.did, &with(json!({})))),
        ("two audiences", verifier.token(did, &with(json!({"aud": [did.as_str(), verifier.did.as_str()]})))),
        ("nbf in the future", verifier.token(did, &with(json!({"nbf": hours(at, 300)})))),
        ("expired", verifier.token(did, &with(json!({"exp": hours(at, -300)})))),
        ("no jti", verifier.token(did, &with(json!({"jti": null})))),
        ("wrong key", verifier.token_with(&other, did, &with(json!({})))),
        ("an unknown DID", {
            let gone = format!("{}:gone", verifier.did);
            verifier.token(did, &with(json!({"iss": gone, "sub": gone})))
        }),
    ] {
        assert_eq!(holding.ask(&token, &query(&[MEMBERSHIP])).await.status, 401, "{case}");
    }
    let good = verifier.token(did, &with(json!({})));
    assert_eq!(
        holding.ask(&good, &query(&[MEMBERSHIP])).await.status,
        200,
        "the access token is still unused"
    );
}

#[tokio::test]
async fn expired_credentials_and_inactive_participants_show_nothing() {
    let holding = Holding::new().await;
    let issuer = Peer::start("late").await;
    let settings = json!({"acceptUnsolicitedFrom": [issuer.did.as_str()]});
    let (did, _) = holding.world.join_with("brief", &settings).await;
    let mut future = issuer.draft(MEMBERSHIP, &did);
    future.issued_at = future.issued_at + std::time::Duration::from_secs(3600);
    future.valid_until = future.issued_at + std::time::Duration::from_secs(3600);
    let text = issuer.signed(&future, &issuer.key);
    let bearer = issuer.token(&did, &json!({}));
    let storage = "/api/credentials/v1/participants/brief/credentials";
    let kept =
        holding.world.post(storage).bearer(&bearer).json(&delivery("x", &[(MEMBERSHIP, &text)])).send().await;
    assert_eq!(kept.status, 200, "a credential may be valid only later: {}", kept.text);
    let scope = vec![format!("org.eclipse.dspace.dcp.vc.type:{MEMBERSHIP}:read")];
    let audience = holding.verifier.did.as_str().parse().expect("legal");
    let tokens = holding.world.service.self_issued_tokens();
    let outer =
        tokens.token(&holding.world.participant("brief"), &audience, &scope, None).await.expect("issued");
    let outer = heddle_jose::Token::parse(&outer).expect("a token");
    let bearer = holding.verifier.token(&did, &json!({"token": outer.claims_unverified()["token"]}));
    let path = "/api/credentials/v1/participants/brief/presentations/query";
    let answer = holding.world.post(path).bearer(&bearer).json(&query(&[MEMBERSHIP])).send().await;
    assert_eq!((answer.status, &answer.json()["presentation"]), (200, &json!([])));

    let bearer = holding.bearer(&[MEMBERSHIP]).await;
    let off = "/api/identity/v1beta/participants/acme/state?isActive=false";
    assert_eq!(holding.world.post(off).bearer(&holding.world.admin().await).send().await.status, 204);
    assert_eq!(holding.ask(&bearer, &query(&[MEMBERSHIP])).await.status, 404);
}
