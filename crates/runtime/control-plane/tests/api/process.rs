//! Discovery and negotiation between two participants, over real HTTP, with the events that tell of it.

use heddle_control_plane::Patience;
use serde_json::{Value, json};

use crate::support::{
    Feed, PROFILE, World, asset, criterion, data_plane, definition, did, document, policy, request as dsp,
};

const P: &str = "/participants/provider";
const C: &str = "/participants/consumer";

/// A provider with one asset on offer.
async fn market() -> (World, String, String) {
    market_beside(crate::support::UNREACHABLE).await
}

/// As [`market`]; calls to this origin are let through.
pub async fn market_beside(origin: &str) -> (World, String, String) {
    market_with(origin, Patience::default()).await
}

/// As [`market_beside`], with this much patience.
pub async fn market_with(origin: &str, patience: Patience) -> (World, String, String) {
    let (world, provider, consumer) = World::with_patient_participants(origin, patience).await;
    let post = async |path: &str, body: Value| {
        world.ask("POST", &format!("{P}/{path}"), &provider, Some(&body)).await.is(200)
    };
    post("policydefinitions", policy("open", Value::Null)).await;
    post("assets", asset("data", &json!({"name": "n"}))).await;
    post("contractdefinitions", definition("d", "open", "open", &json!([]))).await;
    let plane = data_plane("dp", &json!(["HttpData-PULL"]));
    world.ask("PUT", &format!("{P}/dataplanes"), &provider, Some(&plane)).await.is(200);
    (world, provider, consumer)
}

pub fn wanted(world: &World, kind: &str, more: &Value) -> Value {
    let mut members = json!({
        "counterPartyAddress": world.address("provider"), "counterPartyId": did("provider"), "protocol": PROFILE,
    });
    members.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    document(kind, members)
}

pub async fn offer(world: &World, consumer: &str) -> Value {
    let body = wanted(world, "DatasetRequest", &json!({"@id": "data"}));
    let dataset = world.ask("POST", &format!("{C}/catalog/dataset/request"), consumer, Some(&body)).await;
    let mut offer = dataset.is(200).json()["hasPolicy"][0].clone();
    offer["@type"] = json!("Offer");
    offer["assigner"] = json!(did("provider"));
    offer["target"] = json!("data");
    offer
}

#[tokio::test]
async fn a_catalog_is_fetched_and_passed_on() {
    let (world, _, consumer) = market().await;
    let path = format!("{C}/catalog/request");
    let ask = async |more: Value| {
        world.ask("POST", &path, &consumer, Some(&wanted(&world, "CatalogRequest", &more))).await
    };
    assert_eq!(ask(json!({})).await.is(200).json()["dataset"][0]["@id"], "data");
    let none = json!({"querySpec": {"@type": "QuerySpec", "filterExpression": [criterion("name", "=", &json!("m"))]}});
    assert!(ask(none).await.is(200).json().get("dataset").is_none());
    let unknown = ask(json!({"protocol": "unheard"})).await.refused(400);
    assert_eq!(unknown["message"], "No profile 'unheard' for participant 'consumer'");
    let gone = json!({"counterPartyAddress": format!("{}/api/dsp/nobody/{PROFILE}", world.url)});
    assert_eq!(ask(gone).await.refused(502)["type"], "BadGateway");
    let inside = json!({"counterPartyAddress": "http://169.254.169.254/latest"});
    assert_eq!(ask(inside).await.refused(400)["path"], "/counterPartyAddress");
    let dataset = async |more: Value| {
        let body = wanted(&world, "DatasetRequest", &more);
        world.ask("POST", &format!("{C}/catalog/dataset/request"), &consumer, Some(&body)).await
    };
    let absent = dataset(json!({"@id": "absent"})).await.refused(404);
    assert_eq!(absent["message"], "Object of type Dataset with ID=absent was not found");
    // Nothing speaks the protocol at this address: that is no answer about a dataset.
    let astray = json!({"@id": "data", "counterPartyAddress": format!("{}/nowhere", world.url)});
    assert_eq!(dataset(astray).await.refused(502)["type"], "BadGateway");
}

#[tokio::test]
async fn a_negotiation_comes_to_an_agreement_that_both_can_read() {
    let (world, provider, consumer) = market().await;
    let mut feed = Feed::open(&world, &format!("{C}/events"), &consumer, None).await;
    let request = wanted(&world, "ContractRequest", &json!({"policy": offer(&world, &consumer).await}));
    let path = format!("{C}/contractnegotiations");
    let made = world.ask("POST", &path, &consumer, Some(&request)).await.is(200).json();
    let id = made["@id"].as_str().expect("an id").to_owned();
    let (_, event) = feed.wait("contract.negotiation.finalized").await;
    assert_eq!((&event["payload"]["contractNegotiationId"], &event["subject"]), (&json!(id), &json!(id)));
    let shown = world.ask("GET", &format!("{path}/{id}"), &consumer, None).await.is(200).json();
    assert_eq!(
        (&shown["state"], &shown["type"], &shown["profile"]),
        (&json!("FINALIZED"), &json!("CONSUMER"), &json!(PROFILE))
    );
    let state = world.ask("GET", &format!("{path}/{id}/state"), &consumer, None).await.is(200).json();
    assert_eq!((&state["@type"], &state["state"]), (&json!("NegotiationState"), &json!("FINALIZED")));
    let agreement = world.ask("GET", &format!("{path}/{id}/agreement"), &consumer, None).await.is(200).json();
    assert_eq!((&agreement["assetId"], &agreement["policy"]["@type"]), (&json!("data"), &json!("Agreement")));
    assert_eq!(agreement["@id"], shown["contractAgreementId"]);
    assert_eq!(agreement["@id"], event["payload"]["contractAgreementId"]);
    let trace = world.ask("GET", &format!("{path}/{id}/trace"), &consumer, None).await.is(200).json();
    let kinds: Vec<_> =
        trace["entries"].as_array().expect("entries").iter().map(|entry| &entry["kind"]).collect();
    assert!(kinds.contains(&&json!("message")) && kinds.contains(&&json!("state")), "{kinds:?}");
    let all = document("QuerySpec", json!({"filterExpression": [criterion("state", "=", &json!(1200))]}));
    let found = world.ask("POST", &format!("{path}/request"), &consumer, Some(&all)).await.is(200).json();
    assert_eq!(found[0]["@id"], json!(id));
    // The provider has the same agreement under an id of its own, and cannot take the asset away.
    let theirs =
        world.ask("POST", &format!("{P}/contractagreements/request"), &provider, None).await.is(200).json();
    assert_eq!(theirs[0]["agreementId"], agreement["agreementId"]);
    assert_ne!(theirs[0]["@id"], agreement["@id"]);
    let local = theirs[0]["@id"].as_str().expect("an id");
    let negotiation =
        world.ask("GET", &format!("{P}/contractagreements/{local}/negotiation"), &provider, None).await;
    assert_eq!(negotiation.is(200).json()["type"], "PROVIDER");
    world.ask("DELETE", &format!("{P}/assets/data"), &provider, None).await.refused(409);
    world.ask("DELETE", &format!("{path}/{id}"), &consumer, None).await.refused(409);
    let terminate = document("TerminateNegotiation", json!({"reason": "late"}));
    world.ask("POST", &format!("{path}/{id}/terminate"), &consumer, Some(&terminate)).await.refused(409);
    world.ask("GET", &format!("{path}/absent/state"), &consumer, None).await.refused(404);
}

#[tokio::test]
async fn a_request_that_is_refused_leaves_its_reason_with_the_provider() {
    let (world, provider, consumer) = market().await;
    let mut feed = Feed::open(&world, &format!("{C}/events"), &consumer, None).await;
    let mut terms = offer(&world, &consumer).await;
    terms["permission"] = json!([{"action": "use", "constraint": [
        {"leftOperand": "x", "operator": "eq", "rightOperand": "y"}]}]);
    let request = wanted(&world, "ContractRequest", &json!({"policy": terms}));
    let path = format!("{C}/contractnegotiations");
    for (member, value, pointer) in [
        ("@type", json!("Set"), "/policy/@type"),
        ("assigner", json!(""), "/policy/assigner"),
        ("target", Value::Null, "/policy/target"),
    ] {
        let mut wrong = request.clone();
        wrong["policy"][member] = value;
        assert_eq!(world.ask("POST", &path, &consumer, Some(&wrong)).await.refused(400)["path"], pointer);
    }
    let made = world.ask("POST", &path, &consumer, Some(&request)).await.is(200).json();
    let id = made["@id"].as_str().expect("an id");
    // The consumer is told no more than that there is nothing.
    let ended = feed.wait("contract.negotiation.terminated").await.1;
    assert_eq!(ended["payload"]["contractNegotiationId"], id);
    let shown = world.ask("GET", &format!("{path}/{id}"), &consumer, None).await.is(200).json();
    assert_eq!(shown["state"], "TERMINATED");
    assert!(shown["errorDetail"].is_string(), "{shown}");
    let denied = world.ask("GET", &format!("{P}/denials"), &provider, None).await.is(200).json();
    assert_eq!(
        (&denied[0]["counterPartyId"], &denied[0]["request"]),
        (&json!(did("consumer")), &json!("negotiation"))
    );
    let one = denied[0]["id"].as_str().expect("an id");
    let shown = world.ask("GET", &format!("{P}/denials/{one}"), &provider, None).await.is(200).json();
    let entries = shown["entries"].as_array().expect("entries");
    assert!(entries.iter().any(|entry| entry["kind"] == "policy"), "{shown}");
    world.ask("GET", &format!("{C}/denials/{one}"), &consumer, None).await.refused(404);
    // The same again only counts up.
    let again = world.ask("POST", &path, &consumer, Some(&request)).await.is(200).json();
    while feed.wait("contract.negotiation.terminated").await.1["subject"] != again["@id"] {}
    let denied = world.ask("GET", &format!("{P}/denials"), &provider, None).await.is(200).json();
    assert_eq!(denied.as_array().map(Vec::len), Some(1), "{denied}");
    assert_eq!((&denied[0]["id"], &denied[0]["times"]), (&json!(one), &json!(2)));
    assert_eq!(denied[0]["firstAt"], shown["at"]);
    // What has come to nothing can be forgotten.
    world.ask("DELETE", &format!("{path}/{id}"), &consumer, None).await.is(204);
    world.ask("GET", &format!("{path}/{id}"), &consumer, None).await.refused(404);
}

#[tokio::test]
async fn a_transfer_that_is_refused_leaves_its_reason_with_the_provider() {
    let (world, provider, consumer) = market().await;
    let expression = json!({"@id": "e", "leftOperand": "never", "expression": "false", "description": "d",
        "scopes": ["transfer.process"]});
    world.admin_post("/celexpressions", &document("CelExpression", expression)).await.is(200);
    let never = json!([{"leftOperand": "never", "operator": "eq", "rightOperand": "x"}]);
    world
        .ask("PUT", &format!("{P}/policydefinitions/open"), &provider, Some(&policy("open", never)))
        .await
        .is(204);
    let mut feed = Feed::open(&world, &format!("{C}/events"), &consumer, None).await;
    let request = wanted(&world, "ContractRequest", &json!({"policy": offer(&world, &consumer).await}));
    world.ask("POST", &format!("{C}/contractnegotiations"), &consumer, Some(&request)).await.is(200);
    feed.wait("contract.negotiation.finalized").await;
    let path = format!("{P}/contractagreements/request");
    let agreements = world.ask("POST", &path, &provider, None).await.is(200).json();
    let agreement = agreements[0]["agreementId"].as_str().expect("an id").to_owned();
    let ask = async |agreement: &str, format: &str| {
        let message = json!({"@context": [crate::support::DSP], "@type": "TransferRequestMessage",
            "consumerPid": "urn:uuid:1", "agreementId": agreement, "format": format,
            "callbackAddress": world.address("consumer")});
        let answer = world.dsp("POST", "/transfers/request", "as consumer", Some(&message)).await.is(400);
        let denied = world.ask("GET", &format!("{P}/denials"), &provider, None).await.is(200).json();
        (answer.text, denied[0].clone())
    };
    let (told, denied) = ask(&agreement, "HttpData-PULL").await;
    let reason = denied["reason"].as_str().expect("a reason");
    assert!(reason.contains("does not permit") && reason.contains("never"), "{reason}");
    assert!(!told.contains("never"), "{told}");
    assert_eq!(
        (&denied["request"], &denied["counterPartyId"], &denied["subject"]),
        (&json!("transfer"), &json!(did("consumer")), &json!(agreement))
    );
    let entries = denied["entries"].as_array().expect("entries");
    assert!(entries.iter().any(|entry| entry["kind"] == "policy"), "{denied}");
    assert_eq!(
        ask(&agreement, "S3-PULL").await.1["reason"],
        "no registered data plane serves the format 'S3-PULL' for this asset"
    );
    assert_eq!(ask("urn:uuid:other", "HttpData-PULL").await.1["reason"], "there is no such agreement");
}

#[tokio::test]
async fn a_negotiation_that_nobody_answers_can_be_ended() {
    let (world, _, consumer) = market().await;
    let offer = offer(&world, &consumer).await;
    let gone = format!("{}/api/dsp/provider/{PROFILE}", crate::support::UNREACHABLE);
    let request = wanted(&world, "ContractRequest", &json!({"policy": offer, "counterPartyAddress": gone}));
    let path = format!("{C}/contractnegotiations");
    let made = world.ask("POST", &path, &consumer, Some(&request)).await.is(200).json();
    let id = made["@id"].as_str().expect("an id");
    let state = world.ask("GET", &format!("{path}/{id}/state"), &consumer, None).await.is(200).json();
    assert_eq!(state["state"], "REQUESTING");
    let terminate = document("TerminateNegotiation", json!({"reason": "no answer"}));
    world.ask("POST", &format!("{path}/{id}/terminate"), &consumer, Some(&terminate)).await.is(204);
    world.ask("POST", &format!("{path}/absent/terminate"), &consumer, Some(&terminate)).await.refused(404);
}

#[tokio::test]
async fn a_feed_goes_on_where_it_broke_off() {
    let (world, provider, _) = market().await;
    let path = format!("{P}/events");
    let mut feed = Feed::open(&world, &format!("{path}?after=0"), &provider, None).await;
    let (place, created) = feed.wait("asset.created").await;
    assert_eq!(created["payload"], json!({"participantContextId": "provider", "assetId": "data"}));
    drop(feed);
    world.ask("PUT", &format!("{P}/assets"), &provider, Some(&asset("data", &json!({})))).await.is(204);
    let mut feed = Feed::open(&world, &path, &provider, Some(&place)).await;
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "asset.updated") {
        kinds.push(feed.next().await.1["type"].clone());
    }
    assert!(!kinds.contains(&json!("asset.created")), "{kinds:?}");
    assert!(kinds.contains(&json!("contract.definition.created")), "{kinds:?}");
    world.ask("GET", &format!("{path}?after=x"), &provider, None).await.refused(400);
}

#[tokio::test]
async fn a_feed_ends_with_its_participant_context() {
    let (world, provider, _) = market().await;
    let mut feed = Feed::open(&world, &format!("{P}/events"), &provider, None).await;
    world.ask("PUT", &format!("{P}/assets"), &provider, Some(&asset("data", &json!({})))).await.is(204);
    feed.wait("asset.updated").await;
    world.ask("DELETE", P, &world.admin, None).await.is(204);
    let rest = feed.rest().await;
    assert!(!rest.contains("event: "), "{rest}");
}

/// What a peer has proved under one dataspace, with its issuers, says nothing about processes of another one.
#[tokio::test]
async fn processes_and_agreements_count_under_their_own_profile_alone() {
    const OTHER: &str = "other-space";
    let (world, _, consumer) = market().await;
    world.admin_post("/dataspaceprofiles", &crate::support::profile_document(OTHER)).await.is(200);
    let both = document("AssociateDataspaceProfile", json!({"profiles": [PROFILE, OTHER]}));
    for name in ["provider", "consumer"] {
        let path = format!("/participants/{name}/profiles");
        world.ask("PUT", &path, &world.admin, Some(&both)).await.is(204);
    }
    let mut feed = Feed::open(&world, &format!("{C}/events"), &consumer, None).await;
    let request = wanted(&world, "ContractRequest", &json!({"policy": offer(&world, &consumer).await}));
    let made = world.ask("POST", &format!("{C}/contractnegotiations"), &consumer, Some(&request)).await;
    let id = made.is(200).json()["@id"].as_str().expect("an id").to_owned();
    let (_, event) = feed.wait("contract.negotiation.finalized").await;
    let agreement = event["payload"]["contractAgreementId"].as_str().expect("an id").to_owned();

    let at = |space: &str| format!("/api/dsp/consumer/{space}/negotiations/{id}");
    world.send(dsp("GET", &at(PROFILE), "as provider", None)).await.is(200);
    world.send(dsp("GET", &at(OTHER), "as provider", None)).await.is(404);
    let end = json!({"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "ContractNegotiationTerminationMessage", "consumerPid": id, "providerPid": "p"});
    world.send(dsp("POST", &format!("{}/termination", at(OTHER)), "as provider", Some(&end))).await.is(404);

    let path = format!("{C}/contractagreements/{agreement}");
    let shared = world.ask("GET", &path, &consumer, None).await.is(200).json()["agreementId"].clone();
    let transfer = json!({"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "TransferRequestMessage", "consumerPid": "urn:uuid:1", "agreementId": shared,
        "format": "HttpData-PULL", "callbackAddress": format!("{}/api/dsp/consumer/{OTHER}", world.url)});
    let ask = async |space: &str| {
        let path = format!("/api/dsp/provider/{space}/transfers/request");
        world.send(dsp("POST", &path, "as consumer", Some(&transfer))).await
    };
    ask(OTHER).await.is(400);
    let own = json!({"contractId": agreement, "transferType": "HttpData-PULL", "protocol": OTHER});
    let own = wanted(&world, "TransferRequest", &own);
    world.ask("POST", &format!("{C}/transferprocesses"), &consumer, Some(&own)).await.refused(400);
    ask(PROFILE).await.is(201);
}
