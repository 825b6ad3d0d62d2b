//! Somebody else's identity provider, as it is published, gives the tokens: they open what they should and nothing else,
//! its keys may be replaced at any time, and while it is away everybody else goes on.

use heddle::demo::{Client, management::typed};
use heddle_e2e::{
    Answer, Server, answer_to, client,
    keycloak::{Keycloak, RealmClient, Reserved},
};
use heddle_outbound::{Authorization, Request};
use http::Method;
use serde_json::{Value, json};

use crate::rotation;

const AUDIENCE: &str = "heddle";
/// The realm of the operator, which may give everything, and that of a customer, which speaks for one participant.
pub const OPERATOR: &str = "operator";
const CUSTOMER: &str = "customer";
const READ: &str = "management-api:read";
const WRITE: &str = "management-api:write";
const ADMIN: &str = "management-api:admin";
const PARTICIPANTS: &str = "/api/mgmt/v5beta/participants";

/// What a query for assets asks.
fn everything() -> Value {
    json!({"@context": ["https://w3id.org/edc/connector/management/v2"], "@type": "QuerySpec"})
}

fn settings(place: &Reserved) -> String {
    let (operator, customer) = (place.issuer(OPERATOR), place.issuer(CUSTOMER));
    // Private addresses are not allowed to anybody but to those whom the operator names.
    format!(
        r#"
allow_private_addresses = false

[[auth.issuers]]
issuer = "{operator}"
audience = "{AUDIENCE}"
clock_skew_seconds = 10

[[auth.issuers]]
issuer = "{customer}"
audience = "{AUDIENCE}"
roles = ["participant"]
scopes = ["{WRITE}"]
participants = ["acme"]
[auth.issuers.claims]
role = "realm_access.roles"
participant = "organisation"
[auth.issuers.claims.role_values]
dataspace-user = "participant"
dataspace-chief = "admin"
"#
    )
}

/// The server, seen with a token of anybody's making.
pub struct Doors<'a> {
    operator: &'a Client,
}

impl Doors<'_> {
    async fn answer(&self, request: Request, token: &str) -> Answer {
        answer_to(request.authorization(Authorization::bearer(token))).await
    }

    /// Looks at the assets of a participant.
    pub async fn look(&self, context: &str, token: &str) -> Answer {
        let url = format!("{}{PARTICIPANTS}/{context}/assets/request", self.operator.base());
        self.answer(Request::post(url).json_of(&everything()), token).await
    }

    /// Adds an asset to those of a participant.
    async fn add(&self, context: &str, asset: &str, token: &str) -> Answer {
        let url = format!("{}{PARTICIPANTS}/{context}/assets", self.operator.base());
        let body = typed("Asset", json!({"@id": asset, "properties": {"name": asset}}));
        self.answer(Request::post(url).json_of(&body), token).await
    }

    /// Lists the participants of the installation.
    async fn list(&self, token: &str) -> Answer {
        self.answer(Request::get(format!("{}{PARTICIPANTS}", self.operator.base())), token).await
    }

    /// The statuses of looking at and adding to one's own, of the same with another's, and of the list.
    async fn tried(&self, who: &str, token: &str) -> [u16; 5] {
        let asset = |context: &str| format!("{context} by {who}");
        [
            self.look("acme", token).await.status,
            self.add("acme", &asset("acme"), token).await.status,
            self.look("other", token).await.status,
            self.add("other", &asset("other"), token).await.status,
            self.list(token).await.status,
        ]
    }

    /// Our own tokens open everything all the time.
    async fn ours_work(&self) {
        self.operator.get(PARTICIPANTS).await.expect("our own tokens are accepted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_keycloak_open_what_they_should() {
    let place = Reserved::new();
    let server = Server::start(&settings(&place)).await;
    let operator = client(server.credentials(), "keycloak");
    for context in ["acme", "other"] {
        let identity = format!("did:web:{context}.example");
        let body =
            typed("ParticipantContext", json!({"@id": context, "identity": identity, "state": "ACTIVATED"}));
        operator.create(context, PARTICIPANTS, &body).await.expect("it is made");
    }
    let doors = Doors { operator: &operator };
    while_it_is_away(&doors, &place).await;
    let keycloak = place.start().await;
    found(&keycloak).await;
    roles_and_scopes(&doors, &keycloak).await;
    what_a_customer_may_not_say(&doors, &keycloak).await;
    rotation::fails_no_request(&doors, &keycloak).await;
    a_removed_participant(&doors, &keycloak).await;

    let token = keycloak.token(OPERATOR, "writer").await;
    keycloak.stop().await;
    assert_eq!(doors.look("acme", &token).await.status, 200, "under a key that is known");
    doors.ours_work().await;
    server.stop().await;
}

/// It is away when the server starts: its tokens may be good later, everybody else's are good now.
async fn while_it_is_away(doors: &Doors<'_>, place: &Reserved) {
    let unknown = token_of(&place.issuer(OPERATOR));
    for _ in 0..2 {
        let answer = doors.look("acme", &unknown).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        assert!(!answer.body.to_string().contains("127.0.0.1"), "nothing of our network: {answer:?}");
        doors.ours_work().await;
    }
    let stranger = doors.look("acme", &token_of("https://stranger.example")).await;
    assert_eq!(stranger.status, 401, "{stranger:?}");
}

/// A token that has the form of one, and a signature of nobody.
fn token_of(issuer: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
    let header = BASE64.encode(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#);
    let claims = json!({"iss": issuer, "aud": AUDIENCE, "sub": "acme", "exp": 4_000_000_000_u32});
    format!("{header}.{}.{}", BASE64.encode(claims.to_string()), BASE64.encode([7; 256]))
}

async fn found(keycloak: &Keycloak) {
    keycloak.realm(OPERATOR, &[READ, WRITE, ADMIN]).await;
    let context = ("participant_context_id", "acme");
    let plain = RealmClient { id: "", audience: Some(AUDIENCE), claims: &[], role: None, scopes: &[] };
    let participant: &[(&str, &str)] = &[("role", "participant"), context];
    for client in [
        RealmClient { id: "chief", claims: &[("role", "admin")], scopes: &[ADMIN], ..plain },
        RealmClient { id: "provisioner", claims: &[("role", "provisioner")], scopes: &[ADMIN], ..plain },
        RealmClient { id: "writer", claims: participant, scopes: &[WRITE], ..plain },
        RealmClient { id: "greedy", claims: participant, scopes: &[ADMIN], ..plain },
        RealmClient { id: "reader", claims: participant, scopes: &[READ], ..plain },
        RealmClient { id: "scopeless", claims: participant, ..plain },
        RealmClient { id: "roleless", claims: &[context], scopes: &[WRITE], ..plain },
        RealmClient { id: "for-others", audience: None, claims: participant, scopes: &[WRITE], ..plain },
        RealmClient { id: "root", claims: &[("role", "root"), context], scopes: &[ADMIN], ..plain },
    ] {
        keycloak.client(OPERATOR, &client).await;
    }
    keycloak.realm(CUSTOMER, &[WRITE, ADMIN]).await;
    for role in ["dataspace-user", "dataspace-chief"] {
        keycloak.role(CUSTOMER, role).await;
    }
    let (acme, other) = (("organisation", "acme"), ("organisation", "other"));
    let user = Some("dataspace-user");
    for client in [
        RealmClient { id: "user", claims: &[acme], role: user, scopes: &[ADMIN], ..plain },
        RealmClient { id: "spy", claims: &[other], role: user, scopes: &[WRITE], ..plain },
        RealmClient {
            id: "usurper",
            claims: &[acme],
            role: Some("dataspace-chief"),
            scopes: &[ADMIN],
            ..plain
        },
        RealmClient { id: "nobody", claims: &[acme], scopes: &[WRITE], ..plain },
    ] {
        keycloak.client(CUSTOMER, &client).await;
    }
    // A realm that nobody has named.
    keycloak.realm("strangers", &[ADMIN]).await;
    let stranger = RealmClient { id: "stranger", claims: &[("role", "admin")], scopes: &[ADMIN], ..plain };
    keycloak.client("strangers", &stranger).await;
}

async fn roles_and_scopes(doors: &Doors<'_>, keycloak: &Keycloak) {
    for (who, expected) in [
        ("chief", [200, 200, 200, 200, 200]),
        ("provisioner", [403, 403, 403, 403, 200]),
        ("writer", [200, 200, 403, 403, 403]),
        ("greedy", [200, 200, 403, 403, 403]),
        ("reader", [200, 403, 403, 403, 403]),
        ("scopeless", [403; 5]),
        ("roleless", [200, 200, 403, 403, 403]),
        ("for-others", [401; 5]),
        ("root", [401; 5]),
    ] {
        let token = keycloak.token(OPERATOR, who).await;
        assert_eq!(doors.tried(who, &token).await, expected, "{who}");
        let (front, signature) = token.rsplit_once('.').expect("three parts");
        let altered =
            format!("{front}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
        assert_eq!(doors.tried(who, &altered).await, [401; 5], "{who}, with another signature");
    }
    let stranger = keycloak.token("strangers", "stranger").await;
    assert_eq!(doors.tried("stranger", &stranger).await, [401; 5]);
}

async fn what_a_customer_may_not_say(doors: &Doors<'_>, keycloak: &Keycloak) {
    for (who, expected) in
        [("user", [200, 200, 403, 403, 403]), ("spy", [401; 5]), ("usurper", [401; 5]), ("nobody", [401; 5])]
    {
        let token = keycloak.token(CUSTOMER, who).await;
        assert_eq!(doors.tried(&format!("customer {who}"), &token).await, expected, "{who}");
    }
}

/// Removed and made again under its id: a token from before reaches nothing of the new one.
async fn a_removed_participant(doors: &Doors<'_>, keycloak: &Keycloak) {
    let operator = doors.operator;
    let holder = || {
        let did = heddle::demo::founding::did_on(operator.base(), "acme");
        let key = json!({"keyId": format!("{did}#key-1"), "privateKeyAlias": "key-1",
            "keyGeneratorParams": {"algorithm": "EC", "curve": "secp256r1"}});
        json!({"participantContextId": "acme", "did": did, "active": true, "keys": [key], "serviceEndpoints": []})
    };
    let identity = "/api/identity/v1beta/participants";
    operator.create("holder", identity, &holder()).await.expect("it is made");
    let before = keycloak.token(OPERATOR, "writer").await;
    assert_eq!(doors.look("acme", &before).await.status, 200);
    // Issuers tell seconds: a token of the very second of the removal would count as one of after it.
    while issued_this_second(&before) {
        tokio::task::yield_now().await;
    }
    let gone = format!("{}{identity}/acme", operator.base());
    operator.send(|| Request::new(Method::DELETE, gone.as_str())).await.expect("it is removed");
    let refused = doors.look("acme", &before).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    operator.create("holder-again", identity, &holder()).await.expect("it is made again");
    let refused = doors.look("acme", &before).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    let after = keycloak.token(OPERATOR, "writer").await;
    assert_eq!(doors.look("acme", &after).await.status, 200);
    doors.ours_work().await;
}

fn issued_this_second(token: &str) -> bool {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
    let payload = token.split('.').nth(1).expect("three parts");
    let claims: Value = serde_json::from_slice(&BASE64.decode(payload).expect("base64url")).expect("JSON");
    let now = heddle_clock::Environment::system().now().as_seconds();
    claims["iat"].as_i64().expect("a number") >= now
}
