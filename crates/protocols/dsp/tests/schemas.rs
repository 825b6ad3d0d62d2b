//! The wire structs against the published examples and schemas: what is read is written again, what we build
//! is valid, and what is almost a message is refused.

#[path = "support/published.rs"]
mod published;
mod support;

use heddle_dsp::{
    catalog::{Listing, OfferName, Offered, Page, page},
    negotiation::{self, Message},
    process::{Explanation, Inbound, Role},
    transfer::{self, Flow},
    wire::{self, Malformed, Wire, parse},
};
use heddle_ids::{AssetId, ContractDefinitionId};
use published::Published;
use serde::Serialize;
use serde_json::{Value, json};
use support::{NOW, address, agreement, message_id, negotiation, offer, pid, transfer};

fn round_trip<T: Wire + Serialize>(example: &Value) -> Result<Value, Malformed> {
    let message: T = parse(example.to_string().as_bytes())?;
    Ok(serde_json::to_value(&message).expect("serialises"))
}

type RoundTrip = fn(&Value) -> Result<Value, Malformed>;

/// Each message with its schema and its struct.
const MESSAGES: &[(&str, &str, RoundTrip)] = &[
    ("catalog/catalog-error", "catalog/catalog-error", round_trip::<wire::CatalogError>),
    (
        "catalog/catalog-request-message",
        "catalog/catalog-request-message",
        round_trip::<wire::CatalogRequestMessage>,
    ),
    ("catalog/catalog", "catalog/catalog", round_trip::<wire::Catalog>),
    ("catalog/nested-catalog", "catalog/catalog", round_trip::<wire::Catalog>),
    ("catalog/dataset", "catalog/dataset", round_trip::<wire::RootDataset>),
    (
        "catalog/dataset-request-message",
        "catalog/dataset-request-message",
        round_trip::<wire::DatasetRequestMessage>,
    ),
    ("common/protocol-version", "common/protocol-version", round_trip::<wire::VersionResponse>),
    (
        "negotiation/contract-request-message",
        "negotiation/contract-request-message",
        round_trip::<wire::ContractRequestMessage>,
    ),
    (
        "negotiation/contract-request-message_initial",
        "negotiation/contract-request-message",
        round_trip::<wire::ContractRequestMessage>,
    ),
    (
        "negotiation/contract-offer-message",
        "negotiation/contract-offer-message",
        round_trip::<wire::ContractOfferMessage>,
    ),
    (
        "negotiation/contract-offer-message_initial",
        "negotiation/contract-offer-message",
        round_trip::<wire::ContractOfferMessage>,
    ),
    (
        "negotiation/contract-agreement-message",
        "negotiation/contract-agreement-message",
        round_trip::<wire::ContractAgreementMessage>,
    ),
    (
        "negotiation/contract-agreement-message-full",
        "negotiation/contract-agreement-message",
        round_trip::<wire::ContractAgreementMessage>,
    ),
    (
        "negotiation/contract-agreement-verification-message",
        "negotiation/contract-agreement-verification-message",
        round_trip::<wire::ContractAgreementVerificationMessage>,
    ),
    (
        "negotiation/contract-negotiation-event-message",
        "negotiation/contract-negotiation-event-message",
        round_trip::<wire::ContractNegotiationEventMessage>,
    ),
    (
        "negotiation/contract-negotiation-termination-message",
        "negotiation/contract-negotiation-termination-message",
        round_trip::<wire::ContractNegotiationTerminationMessage>,
    ),
    (
        "negotiation/contract-negotiation",
        "negotiation/contract-negotiation",
        round_trip::<wire::ContractNegotiation>,
    ),
    (
        "negotiation/contract-negotiation-error",
        "negotiation/contract-negotiation-error",
        round_trip::<wire::ContractNegotiationError>,
    ),
    (
        "transfer/transfer-request-message",
        "transfer/transfer-request-message",
        round_trip::<wire::TransferRequestMessage>,
    ),
    (
        "transfer/transfer-start-message",
        "transfer/transfer-start-message",
        round_trip::<wire::TransferStartMessage>,
    ),
    (
        "transfer/transfer-suspension-message",
        "transfer/transfer-suspension-message",
        round_trip::<wire::TransferSuspensionMessage>,
    ),
    (
        "transfer/transfer-completion-message",
        "transfer/transfer-completion-message",
        round_trip::<wire::TransferCompletionMessage>,
    ),
    (
        "transfer/transfer-termination-message",
        "transfer/transfer-termination-message",
        round_trip::<wire::TransferTerminationMessage>,
    ),
    ("transfer/transfer-process", "transfer/transfer-process", round_trip::<wire::TransferProcess>),
    ("transfer/transfer-error", "transfer/transfer-error", round_trip::<wire::TransferError>),
];

#[test]
fn every_published_example_survives() {
    let Some(published) = Published::find() else { return };
    let mut seen: Vec<String> = MESSAGES.iter().map(|(example, ..)| path(example)).collect();
    for (example, schema, round_trip) in MESSAGES {
        let mut value = published.example(&path(example));
        let written = round_trip(&value).unwrap_or_else(|error| panic!("{example}: {error}"));
        if value.get("filter") == Some(&json!([])) {
            // An empty filter is no filter.
            value.as_object_mut().expect("object").remove("filter");
        }
        if let Some(profile) = value.pointer_mut("/agreement/profile") {
            // The schema takes one profile and a list of profiles alike.
            *profile = written["agreement"]["profile"].clone();
        }
        assert_eq!(written, value, "{example}");
        published.assert_valid(&format!("{schema}-schema.json"), &written);
    }
    seen.sort();
    let mut all: Vec<String> =
        ["catalog", "negotiation", "transfer"].iter().flat_map(|folder| published.examples(folder)).collect();
    all.push(path("common/protocol-version"));
    all.sort();
    assert_eq!(seen, all, "an example without a row in MESSAGES");
}

fn path(example: &str) -> String {
    let (folder, name) = example.split_once('/').expect("folder/name");
    format!("{folder}/example/{name}.json")
}

/// For every example: without each required member, with a wrong `@type`, with a wrong context, with a member
/// of the wrong type. Where we read more than the schema allows the test says so.
#[test]
fn near_misses_are_refused_as_the_schemas_refuse_them() {
    let Some(published) = Published::find() else { return };
    let mut refused = 0;
    for (example, schema, round_trip) in MESSAGES {
        let validator = published.validator(&format!("{schema}-schema.json"));
        let good = published.example(&path(example));
        let mut misses = Vec::new();
        for (member, _) in good.as_object().expect("object") {
            let mut without = good.clone();
            without.as_object_mut().expect("object").remove(member);
            misses.push((format!("without {member}"), without));
            for wrong in [json!(7), json!(true)] {
                let mut other = good.clone();
                other[member] = wrong.clone();
                misses.push((format!("{member} = {wrong}"), other));
            }
        }
        if good.get("@type").is_some() {
            let mut other = good.clone();
            other["@type"] = json!("Nothing");
            misses.push(("another @type".to_owned(), other));
            let mut other = good.clone();
            other["@context"] = json!(["https://w3id.org/dspace/2024/1/context.json"]);
            misses.push(("another @context".to_owned(), other));
        }
        for (what, miss) in misses {
            let ours = round_trip(&miss);
            match (validator.is_valid(&miss), &ours) {
                (false, Err(error)) => {
                    refused += 1;
                    let named = format!("{error}");
                    assert!(named.starts_with("the message cannot be read at '"), "{named}");
                }
                (true, Ok(_)) => {}
                (false, Ok(_)) => panic!("{example} {what}: the schema refuses it and we read it"),
                // The schema of a dataset leaves `@type` open; without it JSON-LD loses every other member.
                (true, Err(error)) => assert!(what.contains("@type"), "{example} {what}: {error}"),
            }
        }
    }
    assert!(refused > 200, "only {refused} near misses");
}

#[test]
fn every_negotiation_message_that_we_build_is_valid() {
    let Some(published) = Published::find() else { return };
    let terms = offer("use");
    let script: [(Role, Message, &str, &str); 6] = [
        (
            Role::Consumer,
            Message::Request(Box::new(terms.clone())),
            "/negotiations/request",
            "contract-request-message",
        ),
        (
            Role::Provider,
            Message::Offer(Box::new(offer("read"))),
            "/negotiations/urn:pid:consumer/offers",
            "contract-offer-message",
        ),
        (
            Role::Consumer,
            Message::Request(Box::new(terms.clone())),
            "/negotiations/urn:pid:provider/request",
            "contract-request-message",
        ),
        (
            Role::Provider,
            Message::Agree(Box::new(agreement(&terms))),
            "/negotiations/urn:pid:consumer/agreement",
            "contract-agreement-message",
        ),
        (
            Role::Consumer,
            Message::Verify,
            "/negotiations/urn:pid:provider/agreement/verification",
            "contract-agreement-verification-message",
        ),
        (
            Role::Provider,
            Message::Finalize,
            "/negotiations/urn:pid:consumer/events",
            "contract-negotiation-event-message",
        ),
    ];
    let mut parties = [negotiation(Role::Consumer), negotiation(Role::Provider)];
    for (n, (by, message, path, schema)) in script.into_iter().enumerate() {
        let (us, them) = (by as usize, by.other() as usize);
        let id = message_id(format!("m{n}"));
        let sent = negotiation::send(&parties[us], message.clone(), id.clone(), NOW).expect("legal");
        let flight = sent.negotiation.in_flight().expect("under way");
        let out =
            negotiation::outbound(&sent.negotiation, flight, "https://us.example/dsp").expect("complete");
        assert_eq!(out.path, path);
        published.assert_valid(
            &format!("negotiation/{schema}-schema.json"),
            &serde_json::to_value(&out.body).expect("JSON"),
        );
        let inbound = Inbound::new(message, id.clone()).from_process(pid(by));
        parties[them] = negotiation::receive(&parties[them], inbound, NOW).expect("legal").negotiation;
        parties[us] =
            negotiation::acknowledged(&sent.negotiation, &id, Some(pid(by.other())), NOW).negotiation;
        for party in &parties {
            let state = serde_json::to_value(party.to_wire().expect("known")).expect("JSON");
            published.assert_valid("negotiation/contract-negotiation-schema.json", &state);
            let error = serde_json::to_value(party.to_error("400", "no")).expect("JSON");
            published.assert_valid("negotiation/contract-negotiation-error-schema.json", &error);
            assert_eq!(
                (&error["consumerPid"], &error["providerPid"]),
                (&json!("urn:pid:consumer"), &json!("urn:pid:provider"))
            );
        }
    }
}

#[test]
fn a_first_offer_and_a_termination_are_valid() {
    let Some(published) = Published::find() else { return };
    let why = || Message::Terminate(Explanation::new("no", "we changed our mind"));
    let terms = offer("use");
    let provider = negotiation(Role::Provider);
    let sent =
        negotiation::send(&provider, Message::Offer(Box::new(terms)), message_id("o"), NOW).expect("legal");
    let out = |party: &negotiation::Negotiation| {
        let out = negotiation::outbound(party, party.in_flight().expect("under way"), "https://p.example")
            .expect("complete");
        (out.path, serde_json::to_value(out.body).expect("JSON"))
    };
    let (path, body) = out(&sent.negotiation);
    assert_eq!(path, "/negotiations/offers");
    published.assert_valid("negotiation/contract-offer-message-schema.json", &body);
    let offered =
        negotiation::acknowledged(&sent.negotiation, &message_id("o"), Some(pid(Role::Consumer)), NOW);
    let ended = negotiation::send(&offered.negotiation, why(), message_id("t"), NOW).expect("legal");
    let (path, body) = out(&ended.negotiation);
    assert_eq!(path, "/negotiations/urn:pid:consumer/termination");
    published.assert_valid("negotiation/contract-negotiation-termination-message-schema.json", &body);
}

#[test]
fn every_transfer_message_that_we_build_is_valid() {
    let Some(published) = Published::find() else { return };
    let why = Explanation::new("pause", "night");
    let script = [
        (Role::Consumer, transfer::Message::Request(None), "request"),
        (Role::Provider, transfer::Message::Start(Some(Box::new(address("secret")))), "start"),
        (Role::Consumer, transfer::Message::Suspend(why), "suspension"),
        (Role::Consumer, transfer::Message::Start(None), "start"),
        (Role::Provider, transfer::Message::Start(Some(Box::new(address("secret2")))), "start"),
        (Role::Provider, transfer::Message::Suspend(Explanation::default()), "suspension"),
        (Role::Provider, transfer::Message::Start(Some(Box::new(address("secret3")))), "start"),
        (Role::Consumer, transfer::Message::Complete, "completion"),
    ];
    let mut parties = [transfer(Role::Consumer, Flow::Pull), transfer(Role::Provider, Flow::Pull)];
    for (n, (by, message, name)) in script.into_iter().enumerate() {
        let (us, them) = (by as usize, by.other() as usize);
        let id = message_id(format!("m{n}"));
        let sent = transfer::send(&parties[us], message.clone(), id.clone(), NOW).expect("legal");
        let flight = sent.process.in_flight().expect("under way");
        let out = transfer::outbound(&sent.process, flight, "https://us.example/dsp").expect("complete");
        assert!(out.path.starts_with("/transfers/") && out.path.ends_with(name), "{}", out.path);
        let body = serde_json::to_value(&out.body).expect("JSON");
        published.assert_valid(&format!("transfer/transfer-{name}-message-schema.json"), &body);
        let inbound = Inbound::new(message, id.clone()).from_process(pid(by));
        parties[them] = transfer::receive(&parties[them], inbound, NOW).expect("legal").process;
        parties[us] = transfer::acknowledged(&sent.process, &id, Some(pid(by.other())), NOW).process;
        let state = serde_json::to_value(parties[us].to_wire().expect("known")).expect("JSON");
        published.assert_valid("transfer/transfer-process-schema.json", &state);
        let error = serde_json::to_value(parties[them].to_error("400", "no")).expect("JSON");
        published.assert_valid("transfer/transfer-error-schema.json", &error);
    }
    let shown = format!("{:?}", transfer::Message::Start(Some(Box::new(address("secret")))));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn catalogs_that_we_build_are_valid() {
    let Some(published) = Published::find() else { return };
    let about = Page {
        catalog_id: "urn:catalog:1".to_owned(),
        participant: support::participant(Role::Provider),
        service_id: "urn:service:1".to_owned(),
        endpoint_url: "https://p.example/dsp".to_owned(),
    };
    let asset = AssetId::parse("a/1").expect("legal");
    let name = OfferName {
        definition: ContractDefinitionId::parse("cd").expect("legal"),
        asset: asset.clone(),
        discriminator: "0".to_owned(),
    };
    let listing = || Listing {
        asset: asset.clone(),
        properties: json!({"name": "A", "hasPolicy": "forged"}).as_object().expect("object").clone(),
        offers: vec![Offered { id: name.to_id().expect("fits"), policy: offer("use") }],
        formats: vec!["HttpData-PULL".to_owned()],
    };
    let (catalog, incomplete) = page(
        &about,
        vec![
            listing(),
            Listing { offers: Vec::new(), ..listing() },
            Listing { formats: Vec::new(), ..listing() },
        ],
    );
    assert_eq!((catalog.dataset.len(), incomplete.len()), (1, 2));
    let value = serde_json::to_value(&catalog).expect("JSON");
    published.assert_valid("catalog/catalog-schema.json", &value);
    assert_eq!(value["dataset"][0]["@type"], "Dataset");
    assert_eq!(value["dataset"][0]["name"], "A");
    assert_eq!(value["dataset"][0]["hasPolicy"][0].get("target"), None);
    let dataset = wire::RootDataset::from(catalog.dataset[0].clone());
    published.assert_valid("catalog/dataset-schema.json", &serde_json::to_value(dataset).expect("JSON"));
    let (empty, _) = page(&about, Vec::new());
    let value = serde_json::to_value(&empty).expect("JSON");
    assert_eq!(value.get("dataset"), None);
    published.assert_valid("catalog/catalog-schema.json", &value);
    let error = serde_json::to_value(wire::CatalogError::new("404", "not found")).expect("JSON");
    published.assert_valid("catalog/catalog-error-schema.json", &error);
}
