//! The JSON of DID documents.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DidDocument, ENTRIES_MAX, Service, VerificationMethod};
use crate::{Did, DidError};

const CONTEXTS: [&str; 3] = [
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/suites/jws-2020/v1",
    "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld",
];

pub(super) fn own_context() -> Value {
    Value::from(CONTEXTS.to_vec())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct In {
    #[serde(default, rename = "@context")]
    context: Value,
    id: String,
    #[serde(default)]
    service: Value,
    #[serde(default)]
    verification_method: Value,
    #[serde(default)]
    authentication: Value,
    #[serde(default)]
    assertion_method: Value,
    #[serde(default)]
    capability_invocation: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceIn {
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Value,
    service_endpoint: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MethodIn {
    id: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    controller: Option<String>,
    #[serde(default)]
    public_key_jwk: Option<Value>,
    #[serde(default)]
    public_key_multibase: Option<String>,
}

pub(super) fn read(value: Value) -> Result<DidDocument, DidError> {
    let shape = || DidError::Document("it must be a JSON object with a text 'id'".to_owned());
    let wire: In = serde_json::from_value(value).map_err(|_| shape())?;
    let id = Did::parse(&wire.id)?;
    let mut methods = Vec::new();
    for entry in entries("verificationMethod", wire.verification_method)? {
        methods.extend(method(&id, entry));
    }
    let mut relationship = |name, value| -> Result<Vec<String>, DidError> {
        let mut listed = Vec::new();
        for entry in entries(name, value)? {
            match entry {
                Value::String(reference) => listed.push(absolute(&id, &reference)),
                // Embedded: a verification method for this relationship and for no other.
                embedded => {
                    if let Some(method) = method(&id, embedded) {
                        listed.push(method.id.clone());
                        methods.push(method);
                    }
                }
            }
        }
        Ok(listed)
    };
    let authentication = relationship("authentication", wire.authentication)?;
    let assertion_method = relationship("assertionMethod", wire.assertion_method)?;
    let capability_invocation = relationship("capabilityInvocation", wire.capability_invocation)?;
    let service = entries("service", wire.service)?.into_iter().flat_map(services).collect();
    Ok(DidDocument {
        context: wire.context,
        id,
        service,
        verification_method: methods,
        authentication,
        assertion_method,
        capability_invocation,
    })
}

/// The entries of a member that should be an array; a single entry and null are tolerated.
fn entries(name: &str, value: Value) -> Result<Vec<Value>, DidError> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(entries) if entries.len() > ENTRIES_MAX => {
            Err(DidError::Document(format!("'{name}' has more than {ENTRIES_MAX} entries")))
        }
        Value::Array(entries) => Ok(entries),
        single => Ok(vec![single]),
    }
}

fn absolute(document: &Did, reference: &str) -> String {
    if reference.starts_with('#') { format!("{document}{reference}") } else { reference.to_owned() }
}

fn method(document: &Did, entry: Value) -> Option<VerificationMethod> {
    let wire: MethodIn = serde_json::from_value(entry).ok()?;
    Some(VerificationMethod {
        id: absolute(document, &wire.id),
        kind: wire.kind.unwrap_or_default(),
        controller: wire.controller,
        public_key_jwk: wire.public_key_jwk,
        public_key_multibase: wire.public_key_multibase,
    })
}

/// Most types of one service that are looked at.
const TYPES_MAX: usize = 8;

/// One service for each of its types. Endpoints that are no text (maps of profiles) are not usable here.
fn services(entry: Value) -> Vec<Service> {
    let Ok(wire) = serde_json::from_value::<ServiceIn>(entry) else { return Vec::new() };
    let Some(endpoint) = texts(&wire.service_endpoint).first().map(|text| (*text).to_owned()) else {
        return Vec::new();
    };
    let id = wire.id.unwrap_or_default();
    let service =
        |kind: &&str| Service { id: id.clone(), kind: (*kind).to_owned(), endpoint: endpoint.clone() };
    // Each type is a copy of the endpoint: a document that lists types without end must not grow without end.
    texts(&wire.kind).iter().take(TYPES_MAX).map(service).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Out<'a> {
    #[serde(rename = "@context")]
    context: &'a Value,
    id: &'a Did,
    service: Vec<ServiceOut<'a>>,
    verification_method: Vec<MethodOut<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    authentication: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    assertion_method: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    capability_invocation: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceOut<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    service_endpoint: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MethodOut<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key_jwk: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key_multibase: Option<&'a str>,
}

pub(super) fn write(document: &DidDocument) -> Out<'_> {
    let service = document.service.iter();
    let methods = document.verification_method.iter();
    Out {
        context: &document.context,
        id: &document.id,
        service: service
            .map(|service| ServiceOut {
                id: &service.id,
                kind: &service.kind,
                service_endpoint: &service.endpoint,
            })
            .collect(),
        verification_method: methods
            .map(|method| MethodOut {
                id: &method.id,
                kind: &method.kind,
                controller: method.controller.as_deref(),
                public_key_jwk: method.public_key_jwk.as_ref(),
                public_key_multibase: method.public_key_multibase.as_deref(),
            })
            .collect(),
        authentication: &document.authentication,
        assertion_method: &document.assertion_method,
        capability_invocation: &document.capability_invocation,
    }
}
