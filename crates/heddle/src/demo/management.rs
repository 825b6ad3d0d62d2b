//! What bodies for the Management API have in common.

use serde_json::{Value, json};

const CONTEXT: &str = "https://w3id.org/edc/connector/management/v2";

/// `members` as an object of the type `kind`.
pub fn typed(kind: &str, mut members: Value) -> Value {
    members["@context"] = json!([CONTEXT]);
    members["@type"] = json!(kind);
    members
}

/// A query for everything that meets all criteria; for all there is, without any.
pub fn query(criteria: &[Value]) -> Value {
    typed("QuerySpec", json!({"filterExpression": criteria}))
}

/// That the member `name` is `value`.
pub fn criterion(name: &str, value: &str) -> Value {
    json!({"@type": "Criterion", "operandLeft": name, "operator": "=", "operandRight": value})
}
