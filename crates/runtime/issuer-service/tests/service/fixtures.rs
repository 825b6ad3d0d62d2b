//! What most tests begin with: an issuer that issues, and a holder that it attests.

use heddle_credentials::ParsedCredential;
use heddle_did::Did;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    holder::Holder,
    support::{ADMIN, World},
};

/// An issuer that attests memberships by record, and a token of its own for the Administration API.
pub async fn issuing(world: &World) -> String {
    let token = world.own_token("issuer").await;
    let attestation = json!({"id": "membership", "attestationType": "record", "configuration": {}});
    let made = world.post(&format!("{ADMIN}/attestations")).bearer(&token).json(&attestation).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = world.post(&format!("{ADMIN}/credentialdefinitions")).bearer(&token);
    let made = made.json(&definition("membership-def")).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
    token
}

pub fn definition(id: &str) -> Value {
    json!({
        "id": id,
        "credentialType": "MembershipCredential",
        "attestations": ["membership"],
        "jsonSchema": "{}",
        "jsonSchemaUrl": "https://example.com/schema/membership.json",
        "format": "VC1_0_JWT",
        "validity": "604800",
        "mappings": [{"input": "level", "output": "credentialSubject.membership.level", "required": "true"}],
        "rules": [{"type": "expression", "configuration": {"claim": "active", "operator": "EQ", "value": true}}],
    })
}

/// Registers a holder, under its DID.
pub async fn register(world: &World, token: &str, holder: &Holder) {
    let body = json!({"holderId": holder.did.as_str(), "did": holder.did.as_str(), "name": "Acme"});
    let made = world.post(&format!("{ADMIN}/holders")).bearer(token).json(&body).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
}

/// The path of a holder's record.
pub fn record_path(did: &Did) -> String {
    format!("{ADMIN}/attestations/membership/records/{}", utf8_percent_encode(did.as_str(), NON_ALPHANUMERIC))
}

/// Writes what was verified about a holder.
pub async fn attest(world: &World, token: &str, holder: &Holder, claims: &Value) {
    let call = world.call(Method::PUT, &record_path(&holder.did)).bearer(token);
    let made = call.json(&json!({"claims": claims})).send().await;
    assert_eq!(made.status, 204, "{}", made.text);
}

/// A registered holder that is attested.
pub async fn member(world: &World, token: &str) -> Holder {
    let holder = Holder::start().await;
    attest(world, token, &holder, &json!({"active": true, "level": "gold"})).await;
    register(world, token, &holder).await;
    holder
}

/// Reads a credential whose signature is checked with the issuer's key.
pub fn read(world: &World, payload: &str) -> ParsedCredential {
    let parsed = ParsedCredential::parse(payload).expect("a credential");
    parsed.clone().verify(&world.key).expect("signed by the issuer");
    parsed
}
