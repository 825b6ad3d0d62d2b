//! Why a data plane has not done its step, told twice: to the owner, who has it, and to the peer, whom our addresses
//! and services do not concern.

use heddle_dsp::process::Role;
use heddle_ids::DataPlaneId;
use heddle_outbound::OutboundError;
use serde_json::Value;

/// The code of a termination that follows.
pub(super) const CODE: &str = "data-plane-failed";

/// Why a data plane has not done its step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlaneFailure {
    /// It refuses, in its own words.
    Refused(String),
    /// It was not reached, or not understood, or may not be asked.
    Broken(String),
}

impl PlaneFailure {
    /// From what came of a call.
    pub(super) fn of(error: &OutboundError) -> Self {
        match error {
            // About the request itself; anything else is between it and us.
            OutboundError::Status { status, body_excerpt, .. }
                if matches!(status.as_u16(), 400 | 409 | 422) =>
            {
                Self::Refused(words_of(body_excerpt))
            }
            other => Self::Broken(other.to_string()),
        }
    }

    /// For the owner of the data plane.
    pub(super) fn for_owner(&self, plane: &DataPlaneId) -> String {
        match self {
            Self::Refused(words) => format!("the data plane {plane} refuses: {words}"),
            Self::Broken(reason) => format!("the data plane {plane} fails: {reason}"),
        }
    }

    /// For the peer of that owner, who is `role`.
    pub(super) fn for_peer(&self, role: Role) -> String {
        let whose = match role {
            Role::Consumer => "consumer",
            Role::Provider => "provider",
        };
        match self {
            Self::Refused(words) => format!("the {whose}'s data plane refuses: {words}"),
            Self::Broken(_) => format!("the {whose}'s data plane fails; the {whose} can see why"),
        }
    }
}

/// What an error body says to a person: the member that is meant for that, or all of it.
fn words_of(body: &str) -> String {
    let object: Value = serde_json::from_str(body).unwrap_or_default();
    let told = ["detail", "message", "error"].into_iter().find_map(|name| object[name].as_str());
    match told.unwrap_or(body).trim() {
        "" => "it gave no reason".to_owned(),
        words => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn answered(status: StatusCode, body: &str) -> PlaneFailure {
        PlaneFailure::of(&OutboundError::Status {
            url: "http://inside/start".to_owned(),
            status,
            body_excerpt: body.to_owned(),
            retry_after: None,
        })
    }

    #[test]
    fn a_refusal_is_told_to_both_in_its_own_words() {
        let plane = DataPlaneId::parse("plane-1").expect("legal");
        for body in
            [r#"{"title":"Bad Request","detail":"no source"}"#, r#"{"message":"no source"}"#, "no source"]
        {
            let failure = answered(StatusCode::BAD_REQUEST, body);
            assert_eq!(failure.for_owner(&plane), "the data plane plane-1 refuses: no source");
            assert_eq!(failure.for_peer(Role::Provider), "the provider's data plane refuses: no source");
        }
        let silent = answered(StatusCode::CONFLICT, "");
        assert_eq!(silent.for_peer(Role::Consumer), "the consumer's data plane refuses: it gave no reason");
    }

    #[test]
    fn what_goes_wrong_inside_stays_there() {
        let plane = DataPlaneId::parse("plane-1").expect("legal");
        let failure = answered(StatusCode::UNAUTHORIZED, r#"{"detail":"the control plane cp-7 is unknown"}"#);
        assert!(failure.for_owner(&plane).contains("http://inside/start"), "{failure:?}");
        let told = failure.for_peer(Role::Provider);
        assert_eq!(told, "the provider's data plane fails; the provider can see why");
    }
}
