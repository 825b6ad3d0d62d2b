//! The documents that the tests send.

use serde_json::{Value, json};

use super::{CONTEXT, did};

/// A JSON-LD document.
pub fn document(kind: &str, mut members: Value) -> Value {
    members["@context"] = json!([CONTEXT]);
    members["@type"] = json!(kind);
    members
}

pub fn profile_document(name: &str) -> Value {
    let protocol =
        json!({"version": "2025-1", "binding": "HTTPS", "namespace": "https://w3id.org/dspace/2025/1/"});
    document("DataspaceProfile", json!({"name": name, "protocol": protocol, "identity": "static"}))
}

pub fn participant_document(name: &str) -> Value {
    document("ParticipantContext", json!({"@id": name, "identity": did(name), "state": "ACTIVATED"}))
}

pub fn asset(id: &str, properties: &Value) -> Value {
    document("Asset", json!({"@id": id, "properties": properties}))
}

pub fn policy(id: &str, constraints: Value) -> Value {
    let permission = match constraints {
        Value::Null => json!([{"action": "use"}]),
        constraints => json!([{"action": "use", "constraint": constraints}]),
    };
    document("PolicyDefinition", json!({"@id": id, "policy": {"@type": "Set", "permission": permission}}))
}

pub fn definition(id: &str, access: &str, contract: &str, selector: &Value) -> Value {
    let members = json!({"@id": id, "accessPolicyId": access, "contractPolicyId": contract, "assetsSelector": selector});
    document("ContractDefinition", members)
}

pub fn criterion(left: &str, operator: &str, right: &Value) -> Value {
    json!({"@type": "Criterion", "operandLeft": left, "operator": operator, "operandRight": right})
}

pub fn data_plane(id: &str, types: &Value) -> Value {
    data_plane_at(super::UNREACHABLE, id, types)
}

pub fn data_plane_at(origin: &str, id: &str, types: &Value) -> Value {
    json!({"dataplaneId": id, "endpoint": format!("{origin}/dataflows"), "transferTypes": types})
}
