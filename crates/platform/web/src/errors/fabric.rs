//! The error body of the Connector Fabric Manager's APIs: one JSON object.

use axum::response::Response;
use serde::Serialize;

use crate::{ErrorBody, Kind, Rejection, reply};

/// The object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FabricError {
    /// The text of the status, such as `Not Found`.
    pub error: String,
    /// What is wrong, and what was expected.
    pub message: String,
    /// The status as a number; absent on 401, as clients know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// An id to quote to the operator: the trace, on a failure of our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl From<Rejection> for FabricError {
    fn from(rejection: Rejection) -> Self {
        let status = rejection.status();
        let message = match rejection.pointer.as_deref() {
            None | Some("") => rejection.message,
            Some(pointer) => format!("{pointer}: {}", rejection.message),
        };
        let trace = || heddle_telemetry::trace::current().map(|trace| trace.trace_id());
        Self {
            error: status.canonical_reason().unwrap_or("Error").to_owned(),
            message,
            code: (rejection.kind != Kind::Unauthorized).then_some(status.as_u16()),
            id: (rejection.kind == Kind::Internal).then(trace).flatten(),
        }
    }
}

/// Says no as the Tenant Manager and the Provision Manager do: `{"error", "message", "code"?, "id"?}`.
#[derive(Debug, Clone, Copy)]
pub struct Fabric;

impl ErrorBody for Fabric {
    fn respond(rejection: Rejection) -> Response {
        reply(rejection.status(), &FabricError::from(rejection))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_the_members_that_clients_know() {
        let text = |rejection| serde_json::to_string(&FabricError::from(rejection)).expect("serialises");
        assert_eq!(
            text(Rejection::invalid("/name", "expected text")),
            r#"{"error":"Bad Request","message":"/name: expected text","code":400}"#
        );
        assert_eq!(
            text(Rejection::new(Kind::Unauthorized, "invalid token")),
            r#"{"error":"Unauthorized","message":"invalid token"}"#
        );
    }
}
