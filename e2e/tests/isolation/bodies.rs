//! Messages of peers that are right in themselves, so that only the proof decides.

use serde_json::{Value, json};

use crate::{
    places::{ABSENT, Leads},
    world::{ASSET, World, membership},
};

const DSP: &str = "https://w3id.org/dspace/2025/1/context.jsonld";
const DCP: &str = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld";

/// The message that belongs to a template; `None` where there is none.
pub fn of(world: &World, template: &str, leads: Leads) -> Option<Value> {
    if template.starts_with("/api/dsp/") {
        dataspace(world, template, leads)
    } else {
        claims(world, template, leads)
    }
}

fn either(leads: Leads, id: &str) -> String {
    if leads == Leads::Somewhere { id.to_owned() } else { ABSENT.to_owned() }
}

/// The messages of the Dataspace Protocol: one object, with what any of them needs.
fn dataspace(world: &World, template: &str, leads: Leads) -> Option<Value> {
    let (before, end) = template.rsplit_once('/').expect("a path");
    let collection = before.split('/').nth(5).expect("a protocol");
    let initial = before.ends_with(collection);
    let kind = match (collection, end) {
        ("catalog", "request") => "CatalogRequestMessage",
        ("negotiations", "request") => "ContractRequestMessage",
        ("negotiations", "offers") => "ContractOfferMessage",
        ("negotiations", "events") => "ContractNegotiationEventMessage",
        ("negotiations", "agreement") => "ContractAgreementMessage",
        ("negotiations", "verification") => "ContractAgreementVerificationMessage",
        ("negotiations", "termination") => "ContractNegotiationTerminationMessage",
        ("transfers", "request") => "TransferRequestMessage",
        ("transfers", "start") => "TransferStartMessage",
        ("transfers", "completion") => "TransferCompletionMessage",
        ("transfers", "termination") => "TransferTerminationMessage",
        ("transfers", "suspension") => "TransferSuspensionMessage",
        _ => return None,
    };
    let asset = either(leads, ASSET);
    let permission = json!([{"action": "use"}]);
    let mut body = json!({"@context": [DSP], "@type": kind});
    match kind {
        "CatalogRequestMessage" => return Some(body),
        "TransferRequestMessage" => {
            body["agreementId"] = json!(either(leads, world.places.id("id", "contractagreements")));
            body["format"] = json!("HttpData-PULL");
        }
        "ContractRequestMessage" | "ContractOfferMessage" => {
            body["offer"] =
                json!({"@type": "Offer", "@id": "made:up:1", "target": asset, "permission": permission});
        }
        "ContractAgreementMessage" => {
            body["agreement"] = json!({
                "@type": "Agreement", "@id": "a", "target": asset, "permission": permission,
                "assigner": world.provider.organisation.did, "assignee": world.consumer.organisation.did,
                "timestamp": "2026-01-01T00:00:00Z",
            });
        }
        "ContractNegotiationEventMessage" => body["eventType"] = json!("ACCEPTED"),
        _ => {}
    }
    // Whoever sends the message is the other one: what the path names is the receiver's.
    let (own, peers) = match kind {
        "ContractOfferMessage" | "ContractAgreementMessage" => ("consumerPid", "providerPid"),
        _ => ("providerPid", "consumerPid"),
    };
    body[peers] = json!("urn:uuid:00000000-0000-4000-8000-000000000001");
    if initial {
        body["callbackAddress"] = json!(world.consumer.organisation.protocol());
    } else {
        body[own] = json!(either(leads, world.places.id("id", collection_id(collection))));
    }
    Some(body)
}

fn collection_id(collection: &str) -> &'static str {
    if collection == "negotiations" { "negotiations" } else { "transfers" }
}

fn claims(world: &World, template: &str, leads: Leads) -> Option<Value> {
    let kind = |name: &str| json!({"@context": [DCP], "type": name});
    let credentials = template.starts_with("/api/credentials/");
    Some(match template.rsplit('/').next().expect("an end") {
        "query" => {
            let mut body = kind("PresentationQueryMessage");
            body["scope"] = json!([membership()]);
            body
        }
        "offers" => {
            let mut body = kind("CredentialOfferMessage");
            body["issuer"] = json!(world.scene.dataspace.issuer);
            body["credentials"] = json!([{"id": "membership"}]);
            body
        }
        "credentials" if credentials => {
            let mut body = kind("CredentialMessage");
            body["issuerPid"] = json!(either(leads, world.places.id("id", "requests")));
            body["holderPid"] = json!("membership");
            body["status"] = json!("ISSUED");
            body["credentials"] = json!([{
                "credentialType": "MembershipCredential", "payload": "e30.e30.e30", "format": "jwt",
            }]);
            body
        }
        "credentials" => {
            let mut body = kind("CredentialRequestMessage");
            body["holderPid"] = json!("isolation");
            body["credentials"] =
                json!([{"id": either(leads, world.places.id("id", "credentialdefinitions"))}]);
            body
        }
        _ => return None,
    })
}
