//! What exactly each agent sends.

use heddle_agent::ActivityResult;
use serde_json::json;

use crate::double::{DID, Double, context};

#[tokio::test]
async fn the_control_plane_gets_participant_configuration_and_profiles() {
    let double = Double::start().await;
    let result = double.agent("edcv-activity").deploy(&mut context(json!({}))).await;
    assert_eq!(result, ActivityResult::Complete);
    let requests = double.requests();
    let at = "https://w3id.org/edc/connector/management/v2";
    let sent: Vec<_> = requests.iter().map(|request| (request.line.as_str(), request.body.clone())).collect();
    let participant = json!({"@context": [at], "@type": "ParticipantContext", "@id": "ctx1", "identity": DID,
        "state": "ACTIVATED", "tenant": "t1", "properties": {}});
    let config = json!({"@context": [at], "@type": "ParticipantContextConfig",
        "entries": {"edc.iam.issuer.id": DID, "edc.participant.id": DID}});
    let profiles = json!({"@context": [at], "@type": "AssociateDataspaceProfile", "profiles": ["first"]});
    assert_eq!(
        sent,
        [
            ("POST /api/mgmt/v5beta/participants", participant),
            ("PATCH /api/mgmt/v5beta/participants/ctx1/config", config),
            ("PUT /api/mgmt/v5beta/participants/ctx1/profiles", profiles),
        ]
    );
}

#[tokio::test]
async fn without_dataspace_profiles_none_are_associated_and_malformed_ones_are_refused() {
    let double = Double::start().await;
    let none = json!({"cfm.dataspace.profiles": [], "cfm.tenant.id": null});
    assert_eq!(double.agent("edcv-activity").deploy(&mut context(none)).await, ActivityResult::Complete);
    assert!(!double.lines().iter().any(|line| line.ends_with("/profiles")));
    let malformed = json!({"cfm.dataspace.profiles": "first"});
    let result = double.agent("edcv-activity").deploy(&mut context(malformed)).await;
    assert!(
        matches!(&result, ActivityResult::Fatal(s) if s.contains("cfm.dataspace.profiles")),
        "{result:?}"
    );
}

#[tokio::test]
async fn the_credential_service_gets_a_key_and_the_services_of_the_did_document() {
    let double = Double::start().await;
    double.agent("identityhub-activity").deploy(&mut context(json!({}))).await;
    let body = double.requests().remove(0).body;
    assert_eq!(body["did"], DID);
    assert_eq!(body["active"], true);
    let key = json!({"keyId": format!("{DID}#key-1"), "privateKeyAlias": "key-1",
        "keyGeneratorParams": {"algorithm": "EC", "curve": "secp256r1"}});
    assert_eq!(body["keys"], json!([key]));
    let services = body["serviceEndpoints"].as_array().expect("a list");
    let services: Vec<_> = services.iter().map(|one| (&one["type"], &one["serviceEndpoint"])).collect();
    assert_eq!(
        services,
        [
            (
                &json!("CredentialService"),
                &json!("https://heddle.example/api/credentials/v1/participants/ctx1")
            ),
            (&json!("DataService"), &json!("https://heddle.example/api/dsp/ctx1/.well-known/dspace-version")),
            (&json!("ProtocolEndpoint"), &json!("https://heddle.example/api/dsp/ctx1/first")),
        ]
    );
}

#[tokio::test]
async fn the_issuers_get_the_holder_with_the_properties_that_the_tenant_gave() {
    let double = Double::start().await;
    let agent = double.agent("registration-activity");
    agent.deploy(&mut context(json!({}))).await;
    let request = double.requests().remove(0);
    assert_eq!(request.line, "POST /api/admin/v1beta/participants/the-issuer/holders");
    assert_eq!(request.body, json!({"holderId": DID, "did": DID, "name": DID}));
    // The operator's manifest says which issuer; nothing that a tenant may set does.
    let properties = json!({"participantContextId": "somebody else's", "contractNumber": 7});
    let named = json!({"cfm.vpa.data": [{"vpaType": "cfm.issuer", "properties": properties}],
        "cfm.participant.holdername": "Acme", "cfm.issuer.contexts": ["other issuer", "a third"]});
    let mut named = context(named);
    agent.deploy(&mut named).await;
    let holder = json!({"holderId": DID, "did": DID, "name": "Acme", "properties": properties});
    let requests = double.requests();
    assert_eq!(requests.len(), 2, "the issuer of each dataspace");
    for (request, issuer) in requests.iter().zip(["other%20issuer", "a%20third"]) {
        assert_eq!(request.line, format!("POST /api/admin/v1beta/participants/{issuer}/holders"));
        assert_eq!(request.body, holder);
    }
    agent.dispose(&mut named).await;
    let forgotten = double.lines().iter().filter(|line| line.contains("/holders/")).count();
    assert_eq!(forgotten, 2, "each forgets its holder");
}

#[tokio::test]
async fn each_plane_is_told_of_the_other_with_the_client_that_it_uses() {
    let double = Double::start().await;
    double.agent("dataplane-activity").deploy(&mut context(json!({}))).await;
    let requests = double.requests();
    let [at_data_plane, at_control_plane] = requests.as_slice() else { panic!("two requests: {requests:?}") };
    let access = |id: &str| {
        json!({"type": "oauth2_client_credentials", "tokenEndpoint": "https://heddle.example/oauth/token",
            "clientId": id, "clientSecret": format!("{id}-secret")})
    };
    assert_eq!(at_data_plane.line, "PUT /api/dataplane/v1/participants/ctx1/controlplanes");
    let base = &double.base;
    assert_eq!(
        at_data_plane.body,
        json!({"controlplaneId": "cp",
        "endpoint": format!("{base}/api/signaling/ctx1"), "authorization": access("dp")})
    );
    assert_eq!(at_control_plane.line, "PUT /api/mgmt/v5beta/participants/ctx1/dataplanes");
    assert_eq!(
        at_control_plane.body,
        json!({"dataplaneId": "dp", "transferTypes": ["HttpData-PULL"],
        "endpoint": format!("{base}/api/dataplane/v1/participants/ctx1/dataflows"), "labels": [],
        "authorization": access("cp")})
    );
}

#[tokio::test]
async fn a_holder_that_was_there_before_stays_when_the_participant_goes() {
    let double = Double::start().await;
    let agent = double.agent("registration-activity");
    agent.deploy(&mut context(json!({}))).await;
    // Another profile names the same DID: the holder is not its own.
    let mut second = context(json!({}));
    double.then("POST /api/admin/v1beta/participants/the-issuer/holders", 409);
    agent.deploy(&mut second).await;
    double.requests();
    let holders = |lines: Vec<String>| lines.iter().filter(|line| line.contains("/holders/")).count();
    agent.dispose(&mut second).await;
    assert_eq!(holders(double.lines()), 0, "no holder is deleted");
    agent.dispose(&mut context(json!({"holderRegisteredAt": ["the-issuer"]}))).await;
    assert_eq!(holders(double.lines()), 1, "its own goes with it");
}

#[tokio::test]
async fn manifests_and_outputs_that_know_one_issuer_are_understood() {
    let double = Double::start().await;
    let agent = double.agent("registration-activity");
    agent.deploy(&mut context(json!({"cfm.issuer.context": "another"}))).await;
    assert_eq!(double.lines(), ["POST /api/admin/v1beta/participants/another/holders"]);
    let gone = async |values| {
        agent.dispose(&mut context(values)).await;
        double.lines().into_iter().filter(|line| line.contains("/holders/")).collect::<Vec<_>>()
    };
    let holder_of = |issuer: &str, lines: &[String]| {
        let start = format!("DELETE /api/admin/v1beta/participants/{issuer}/holders/");
        assert!(lines.len() == 1 && lines[0].starts_with(&start), "{lines:?}");
    };
    holder_of("the-issuer", &gone(json!({"holderRegistered": true})).await);
    let both = json!({"holderRegistered": true, "cfm.issuer.context": "another"});
    holder_of("another", &gone(both).await);
    assert!(gone(json!({"holderRegistered": false, "cfm.issuer.context": "another"})).await.is_empty());
}
