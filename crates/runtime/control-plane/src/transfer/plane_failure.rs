//! Why a data plane has not done its step, told twice: to the owner, who has it, and to the peer, whom our addresses
//! and services do not concern.

use heddle_dsp::process::Role;
use heddle_ids::DataPlaneId;
use heddle_outbound::OutboundError;
use serde_json::Value;

/// The code of a termination that follows.
pub(super) const CODE: &str = "data-plane-failed";
/// Most characters of a data plane's words that a peer is told.
const TOLD_CHARS_MAX: usize = 300;

/// Why a data plane has not done its step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlaneFailure {
    /// It refuses.
    Refused {
        /// All that it answered.
        words: String,
        /// What of it is meant for people.
        told: Option<String>,
    },
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
                let told = told_by(body_excerpt);
                Self::Refused { words: told.clone().unwrap_or_else(|| body_excerpt.trim().to_owned()), told }
            }
            other => Self::Broken(other.to_string()),
        }
    }

    /// A step that was under way was refused after all, with the error that it reports.
    pub(super) fn reported(error: Option<&str>) -> Self {
        let told = error.map(str::trim).filter(|words| !words.is_empty()).map(str::to_owned);
        Self::Refused { words: told.clone().unwrap_or_default(), told }
    }

    /// For the owner of the data plane.
    pub(super) fn for_owner(&self, plane: &DataPlaneId) -> String {
        match self {
            Self::Refused { words, .. } => {
                let words = if words.is_empty() { "it gave no reason" } else { words };
                format!("the data plane {plane} refuses: {words}")
            }
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
            Self::Refused { told: Some(told), .. } => {
                let told: String = told.chars().take(TOLD_CHARS_MAX).collect();
                format!("the {whose}'s data plane refuses: {told}")
            }
            Self::Refused { told: None, .. } => {
                format!("the {whose}'s data plane refuses; the {whose} can see why")
            }
            Self::Broken(_) => format!("the {whose}'s data plane fails; the {whose} can see why"),
        }
    }
}

/// What an error body says to a person: the member of a JSON object that is meant for that. Anything else is a page of
/// some server in between, or a stack trace.
fn told_by(body: &str) -> Option<String> {
    let object: Value = serde_json::from_str(body).ok()?;
    let told = ["detail", "message", "error"].into_iter().find_map(|name| object.get(name)?.as_str())?;
    let told = told.trim();
    (!told.is_empty()).then(|| told.to_owned())
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
        for body in [r#"{"title":"Bad Request","detail":"no source"}"#, r#"{"message":"no source"}"#] {
            let failure = answered(StatusCode::BAD_REQUEST, body);
            assert_eq!(failure.for_owner(&plane), "the data plane plane-1 refuses: no source");
            assert_eq!(failure.for_peer(Role::Provider), "the provider's data plane refuses: no source");
        }
        let late = PlaneFailure::reported(Some("no source"));
        assert_eq!(late.for_peer(Role::Provider), "the provider's data plane refuses: no source");
    }

    #[test]
    fn a_refusal_that_is_not_meant_for_people_is_told_to_the_owner_alone() {
        let plane = DataPlaneId::parse("plane-1").expect("legal");
        let told = "the consumer's data plane refuses; the consumer can see why";
        let page = "<html>proxy at 10.0.0.7";
        for body in [page, "[1]", r#"{"trace":"proxy at 10.0.0.7"}"#] {
            let failure = answered(StatusCode::BAD_REQUEST, body);
            assert_eq!(failure.for_owner(&plane), format!("the data plane plane-1 refuses: {body}"));
            assert_eq!(failure.for_peer(Role::Consumer), told);
        }
        for silent in [answered(StatusCode::CONFLICT, ""), PlaneFailure::reported(None)] {
            assert_eq!(silent.for_owner(&plane), "the data plane plane-1 refuses: it gave no reason");
            assert_eq!(silent.for_peer(Role::Consumer), told);
        }
    }

    #[test]
    fn a_peer_is_told_no_more_than_some_lines() {
        let endless = PlaneFailure::reported(Some(&"ü".repeat(2000)));
        let told = endless.for_peer(Role::Provider);
        assert!(told.ends_with(&"ü".repeat(TOLD_CHARS_MAX)) && told.chars().count() < 350, "{told}");
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
