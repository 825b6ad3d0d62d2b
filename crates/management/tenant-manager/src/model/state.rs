//! Where something that is deployed is in its life.

use serde::{Deserialize, Serialize};

/// The states, as the Connector Fabric Manager names them.
///
/// ```text
/// pending ──▶ active ──▶ disposing ──▶ disposed
///    └──────▶ error ◀────────┘            ▲
///               └─────(compensated)───────┘
/// ```
///
/// Nothing here enters `initial`, `locked` or `offline`; a cell may be posted in any state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeploymentState {
    Initial,
    Pending,
    Active,
    Disposing,
    Disposed,
    Locked,
    Offline,
    Error,
}

impl DeploymentState {
    pub(crate) const ALL: [Self; 8] = [
        Self::Initial,
        Self::Pending,
        Self::Active,
        Self::Disposing,
        Self::Disposed,
        Self::Locked,
        Self::Offline,
        Self::Error,
    ];

    /// The state of this name, in upper or lower case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(text))
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Disposing => "disposing",
            Self::Disposed => "disposed",
            Self::Locked => "locked",
            Self::Offline => "offline",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_document_and_parse_in_any_case() {
        for state in DeploymentState::ALL {
            let document = serde_json::to_string(&state).expect("serialises");
            assert_eq!(document, format!("\"{}\"", state.name()));
            assert_eq!(DeploymentState::parse(&state.name().to_uppercase()), Some(state));
        }
        assert_eq!(DeploymentState::parse("ready"), None);
    }
}
