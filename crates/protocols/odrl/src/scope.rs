//! When a policy is evaluated, and which of those times a function or an action is for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// When a policy is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PolicyScope {
    /// The access policy, when a catalog is made and when an offer comes in. Context: `agent`.
    #[serde(rename = "catalog")]
    Catalog,
    /// The contract policy, when an offer comes in. Context: `agent`.
    #[serde(rename = "contract.negotiation")]
    ContractNegotiation,
    /// The agreement's policy, when a transfer is asked for. Context: `agent`, `agreement`.
    #[serde(rename = "transfer.process")]
    TransferProcess,
    /// The agreement's policy, again and again while a transfer runs. Context: `agreement`.
    #[serde(rename = "policy.monitor")]
    PolicyMonitor,
}

impl PolicyScope {
    /// Every scope.
    pub const ALL: [Self; 4] =
        [Self::Catalog, Self::ContractNegotiation, Self::TransferProcess, Self::PolicyMonitor];

    /// The name that expressions are bound to: `contract.negotiation`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::ContractNegotiation => "contract.negotiation",
            Self::TransferProcess => "transfer.process",
            Self::PolicyMonitor => "policy.monitor",
        }
    }

    /// The scope of a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

impl fmt::Display for PolicyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scopes that something is bound to: names of scopes, beginnings of names up to a dot (`contract.`), or
/// everything (`*`, `*.`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

impl ScopeSet {
    /// Every scope.
    #[must_use]
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// From patterns; none at all means every scope.
    pub fn new<S: Into<String>>(patterns: impl IntoIterator<Item = S>) -> Self {
        let patterns: Vec<String> = patterns.into_iter().map(Into::into).collect();
        if patterns.is_empty() { Self::all() } else { Self(patterns) }
    }

    /// Whether `scope` is one of them.
    #[must_use]
    pub fn contains(&self, scope: PolicyScope) -> bool {
        self.0.iter().any(|pattern| {
            let stem = pattern.trim_end_matches(['*', '.']);
            // An empty pattern names nothing; only a star names everything.
            match scope.as_str().strip_prefix(stem) {
                Some(rest) if stem.is_empty() => pattern.starts_with('*') && !rest.is_empty(),
                Some(rest) => rest.is_empty() || rest.starts_with('.'),
                None => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_scopes_beginnings_or_everything() {
        let negotiation = PolicyScope::ContractNegotiation;
        for pattern in ["contract.negotiation", "contract.", "contract", "contract.*", "*", "*."] {
            assert!(ScopeSet::new([pattern]).contains(negotiation), "{pattern}");
        }
        for pattern in ["", "cont", "catalog", "request.contract.negotiation", "contract.negotiation.x"] {
            assert!(!ScopeSet::new([pattern]).contains(negotiation), "{pattern}");
        }
        assert!(ScopeSet::new(Vec::<String>::new()).contains(PolicyScope::Catalog));
    }

    #[test]
    fn names_and_scopes_belong_together() {
        for scope in PolicyScope::ALL {
            assert_eq!(PolicyScope::parse(scope.as_str()), Some(scope));
            assert_eq!(serde_json::to_value(scope).ok(), Some(scope.as_str().into()));
        }
        assert_eq!(PolicyScope::parse("request.catalog"), None);
    }
}
