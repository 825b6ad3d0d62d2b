//! Who may ask: decided before anything is read or looked up, in one language.

use heddle_auth::NewClient;
use serde_json::{Value, json};

use crate::support::{
    BASE, DSP, PROFILE, World, asset, document, participant_document, profile_document, request,
};

/// Method and path of every route of the API.
const ROUTES: [(&str, &str); 60] = [
    ("POST", "/participants"),
    ("GET", "/participants"),
    ("GET", "/participants/provider"),
    ("PUT", "/participants/provider"),
    ("DELETE", "/participants/provider"),
    ("GET", "/participants/provider/config"),
    ("PUT", "/participants/provider/config"),
    ("PATCH", "/participants/provider/config"),
    ("GET", "/participants/provider/profiles"),
    ("PUT", "/participants/provider/profiles"),
    ("POST", "/participants/provider/assets"),
    ("PUT", "/participants/provider/assets"),
    ("POST", "/participants/provider/assets/request"),
    ("GET", "/participants/provider/assets/x"),
    ("DELETE", "/participants/provider/assets/x"),
    ("POST", "/participants/provider/policydefinitions"),
    ("POST", "/participants/provider/policydefinitions/request"),
    ("GET", "/participants/provider/policydefinitions/x"),
    ("PUT", "/participants/provider/policydefinitions/x"),
    ("DELETE", "/participants/provider/policydefinitions/x"),
    ("POST", "/participants/provider/policydefinitions/x/validate"),
    ("POST", "/participants/provider/contractdefinitions"),
    ("PUT", "/participants/provider/contractdefinitions"),
    ("POST", "/participants/provider/contractdefinitions/request"),
    ("GET", "/participants/provider/contractdefinitions/x"),
    ("DELETE", "/participants/provider/contractdefinitions/x"),
    ("PUT", "/participants/provider/dataplanes"),
    ("GET", "/participants/provider/dataplanes"),
    ("DELETE", "/participants/provider/dataplanes/x"),
    ("POST", "/participants/provider/contractnegotiations"),
    ("POST", "/participants/provider/contractnegotiations/request"),
    ("GET", "/participants/provider/contractnegotiations/x"),
    ("DELETE", "/participants/provider/contractnegotiations/x"),
    ("GET", "/participants/provider/contractnegotiations/x/state"),
    ("GET", "/participants/provider/contractnegotiations/x/agreement"),
    ("POST", "/participants/provider/contractnegotiations/x/terminate"),
    ("GET", "/participants/provider/contractnegotiations/x/trace"),
    ("POST", "/participants/provider/contractagreements/request"),
    ("GET", "/participants/provider/contractagreements/x"),
    ("GET", "/participants/provider/contractagreements/x/negotiation"),
    ("GET", "/participants/provider/denials"),
    ("GET", "/participants/provider/denials/x"),
    ("POST", "/participants/provider/catalog/request"),
    ("POST", "/participants/provider/catalog/dataset/request"),
    ("GET", "/participants/provider/events"),
    ("POST", "/dataspaceprofiles"),
    ("PUT", "/dataspaceprofiles"),
    ("POST", "/dataspaceprofiles/request"),
    ("GET", "/dataspaceprofiles/x"),
    ("DELETE", "/dataspaceprofiles/x"),
    ("POST", "/celexpressions"),
    ("POST", "/celexpressions/request"),
    ("POST", "/celexpressions/test"),
    ("GET", "/celexpressions/x"),
    ("PUT", "/celexpressions/x"),
    ("DELETE", "/celexpressions/x"),
    ("POST", "/dcpscopes"),
    ("POST", "/dcpscopes/request"),
    ("PUT", "/dcpscopes/x"),
    ("DELETE", "/dcpscopes/x"),
];

#[tokio::test]
async fn nobody_and_strangers_are_refused_on_every_route_whatever_they_send() {
    let (world, _, consumer) = World::with_participants().await;
    // The body is no document: whoever may not ask is told so first.
    let nonsense = json!("nonsense");
    for (method, path) in ROUTES {
        let body = (method != "GET").then_some(&nonsense);
        let answer = world.send(request(method, &format!("{BASE}{path}"), "", body)).await;
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{method} {path}");
        assert_eq!(answer.refused(401)["type"], "AuthenticationFailed", "{method} {path}");
        world.ask(method, path, "not.a.token", body).await.refused(401);
        let refused = world.ask(method, path, &consumer, body).await.refused(403);
        assert_eq!(refused["type"], "NotAuthorized", "{method} {path}");
        // Whether the other participant exists makes no difference.
        let absent = path.replace("/provider", "/nobody");
        assert_eq!(world.ask(method, &absent, &consumer, body).await.refused(403), refused, "{absent}");
    }
}

#[tokio::test]
async fn a_participant_administers_nothing_even_of_its_own() {
    let (world, provider, _) = World::with_participants().await;
    for (method, path) in [
        ("POST", "/participants"),
        ("GET", "/participants/provider"),
        ("DELETE", "/participants/provider"),
        ("GET", "/participants/provider/config"),
        ("PUT", "/participants/provider/profiles"),
        ("GET", "/dataspaceprofiles/test-space"),
        ("POST", "/celexpressions"),
        ("POST", "/dcpscopes"),
    ] {
        let body = (method != "GET").then(|| json!({}));
        world.ask(method, path, &provider, body.as_ref()).await.refused(403);
    }
    world.ask("GET", "/participants/provider/profiles", &provider, None).await.is(200);
}

#[tokio::test]
async fn a_provisioner_provisions_and_sees_no_contents() {
    let (world, provider, _) = World::with_participants().await;
    let token = world.installation(NewClient::provisioner()).await;
    let ask = async |method: &str, path: &str, body: Value| {
        world.ask(method, path, &token, (method != "GET").then_some(&body)).await
    };
    ask("POST", "/participants", participant_document("third")).await.is(200);
    ask("POST", "/dataspaceprofiles", profile_document("third-space")).await.is(200);
    let association = document("AssociateDataspaceProfile", json!({"profiles": ["third-space"]}));
    ask("PUT", "/participants/third/profiles", association).await.is(204);
    let entries = document("ParticipantContextConfig", json!({"entries": {"a": "b"}}));
    ask("PATCH", "/participants/third/config", entries).await.is(204);
    let plane = crate::support::data_plane("dp", &json!(["HttpData-PULL"]));
    ask("PUT", "/participants/third/dataplanes", plane).await.is(200);
    let scope = document("DcpScope", json!({"@id": "s", "value": "org.eclipse.dspace.dcp.vc.type:M:read"}));
    ask("POST", "/dcpscopes", scope).await.is(200);
    for (method, path) in [
        ("POST", "/participants/provider/assets"),
        ("POST", "/participants/provider/assets/request"),
        ("GET", "/participants/provider/contractnegotiations/x"),
        ("GET", "/participants/provider/events"),
        ("POST", "/celexpressions"),
    ] {
        ask(method, path, asset("a", &json!({}))).await.refused(403);
    }
    world.ask("GET", "/participants/provider/assets/a", &provider, None).await.refused(404);
}

#[tokio::test]
async fn fine_scopes_open_what_they_name() {
    let (world, ..) = World::with_participants().await;
    let scopes = vec!["management-api:assets:read".to_owned()];
    let reader = NewClient::participant().with_scopes(scopes);
    let token = world.token(&world.scope_of("provider"), reader).await;
    world.ask("POST", "/participants/provider/assets/request", &token, None).await.is(200);
    let refused =
        world.ask("POST", "/participants/provider/assets", &token, Some(&json!({}))).await.refused(403);
    assert_eq!(refused["message"], "Required scope 'management-api:assets:write' missing");
    world.ask("DELETE", "/participants/provider/assets/x", &token, None).await.refused(403);
    world.ask("GET", "/participants/provider/denials", &token, None).await.refused(403);
}

#[tokio::test]
async fn a_denial_is_shown_to_whoever_may_read_what_it_is_about() {
    let world = World::empty().await;
    world.admin_post("/dataspaceprofiles", &profile_document(PROFILE)).await.is(200);
    world.add_participant("provider").await;
    let transfer = json!({"@context": [DSP], "@type": "TransferRequestMessage", "consumerPid": "urn:uuid:1",
        "agreementId": "urn:uuid:none", "format": "HttpData-PULL", "callbackAddress": "http://x.example"});
    world.dsp("POST", "/transfers/request", "as consumer", Some(&transfer)).await.is(400);
    let negotiation = json!({"@context": [DSP], "@type": "ContractRequestMessage", "consumerPid": "urn:uuid:1",
        "callbackAddress": "http://x.example",
        "offer": {"@type": "Offer", "@id": "none", "target": "none", "permission": [{"action": "use"}]}});
    world.dsp("POST", "/negotiations/request", "as consumer", Some(&negotiation)).await.is(404);
    let path = "/participants/provider/denials";
    let all = world.ask("GET", path, &world.admin, None).await.is(200).json();
    for (resource, about) in [("negotiations", ["negotiation"]), ("transfers", ["transfer"])] {
        let reader = NewClient::participant().with_scopes(vec![format!("management-api:{resource}:read")]);
        let token = world.token(&world.scope_of("provider"), reader).await;
        let shown = world.ask("GET", path, &token, None).await.is(200).json();
        let shown: Vec<_> =
            shown.as_array().expect("a list").iter().map(|denial| &denial["request"]).collect();
        assert_eq!(shown, about, "{resource}");
        for denial in all.as_array().expect("a list") {
            let one = format!("{path}/{}", denial["id"].as_str().expect("an id"));
            let status = world.ask("GET", &one, &token, None).await.status;
            assert_eq!(
                status == 200,
                about.iter().any(|kind| denial["request"] == *kind),
                "{resource}: {denial}"
            );
        }
    }
}

#[tokio::test]
async fn every_refusal_of_the_surface_is_an_error_array() {
    let (world, provider, _) = World::with_participants().await;
    let path = "/participants/provider/assets";
    world.ask("PATCH", path, &provider, None).await.refused(405);
    world.ask("GET", "/nothing/here", &provider, None).await.refused(404);
    let bearer = format!("Bearer {provider}");
    let mut text = request("POST", &format!("{BASE}{path}"), &bearer, Some(&json!({})));
    text.headers_mut().insert("content-type", "text/plain".parse().expect("a value"));
    world.send(text).await.refused(415);
    let large = asset("a", &json!({"text": "x".repeat(1024 * 1024)}));
    world.ask("POST", path, &provider, Some(&large)).await.refused(413);
    world.ask("POST", path, &provider, Some(&json!("x"))).await.refused(400);
}

#[tokio::test]
async fn the_aliases_lead_to_the_same_api() {
    let (world, provider, _) = World::with_participants().await;
    let bearer = format!("Bearer {provider}");
    for base in ["/api/management/v5beta", "/api/mgmt/v5", "/api/mgmt/v5alpha", "/api/management/v5"] {
        let path = format!("{base}/participants/provider/assets/request");
        world.send(request("POST", &path, &bearer, None)).await.is(200);
    }
    let path = "/api/mgmt/v4/participants/provider/assets/request";
    assert_eq!(world.send(request("POST", path, &bearer, None)).await.status, 404);
}
