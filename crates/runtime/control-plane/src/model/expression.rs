//! What policies mean: CEL expressions and the DCP scopes that they need. Both belong to the installation.

use heddle_clock::Timestamp;
use heddle_ids::CelExpressionId;
use heddle_store::{Aggregate, DirectoryRow, filter::Properties};
use serde::{Deserialize, Serialize};

/// The meaning of a left operand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CelExpression {
    /// Its id.
    pub id: CelExpressionId,
    /// The left operand whose constraints it decides; several for one are all required.
    pub left_operand: String,
    /// The expression.
    pub expression: String,
    /// For a person.
    pub description: String,
    /// Where it counts: scope names, `catalog` …, or patterns ending in `*`; empty means everywhere.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Actions that it binds.
    #[serde(default)]
    pub actions: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl CelExpression {
    /// Kind of its directory row.
    pub const DIRECTORY: &'static str = "cel-expression";

    /// Published, since every participant's policies use it.
    #[must_use]
    pub fn published(&self) -> DirectoryRow {
        DirectoryRow::new(Self::DIRECTORY, self.id.as_str(), self)
    }
}

impl Aggregate for CelExpression {
    const KIND: &'static str = "cel-expression";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn properties(&self) -> Option<Properties> {
        Some(Properties::default().with("", &serde_json::to_value(self).unwrap_or_default()))
    }
}

/// When a scope is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ScopeUse {
    /// In every request.
    #[default]
    Default,
    /// When a policy at hand has a left operand with the prefix.
    Policy,
}

/// A DCP scope to request of peers (Management API `DcpScope`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DcpScope {
    /// Its id.
    pub id: String,
    /// When it is requested.
    pub usage: ScopeUse,
    /// The scope, such as `org.eclipse.dspace.dcp.vc.type:MembershipCredential:read`.
    pub value: String,
    /// The dataspace profile, or `*`.
    pub profile: String,
    /// For [`ScopeUse::Policy`]: prefix of the left operands that need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

impl DcpScope {
    /// Kind of its directory row.
    pub const DIRECTORY: &'static str = "dcp-scope";

    /// Published, since every participant's requests use it.
    #[must_use]
    pub fn published(&self) -> DirectoryRow {
        DirectoryRow::new(Self::DIRECTORY, self.id.as_str(), self)
    }

    /// Whether a request in `profile` about a policy with these left operands asks for it.
    #[must_use]
    pub fn applies(&self, profile: &str, left_operands: &[String]) -> bool {
        let needed = match (self.usage, &self.prefix) {
            (ScopeUse::Default, _) => true,
            (ScopeUse::Policy, Some(prefix)) => {
                left_operands.iter().any(|operand| operand.starts_with(prefix))
            }
            (ScopeUse::Policy, None) => false,
        };
        needed && (self.profile == "*" || self.profile == profile)
    }
}

impl Aggregate for DcpScope {
    const KIND: &'static str = "dcp-scope";

    fn id(&self) -> &str {
        &self.id
    }

    fn properties(&self) -> Option<Properties> {
        let own = Properties::default()
            .with_text("id", &self.id)
            .with("type", &serde_json::to_value(self.usage).unwrap_or_default())
            .with_text("value", &self.value)
            .with_text("profile", &self.profile);
        Some(match &self.prefix {
            Some(prefix) => own.with_text("prefixMapping", prefix),
            None => own,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_asked_for_where_it_is_needed_and_nowhere_else() {
        let scope = |usage, profile: &str, prefix: Option<&str>| DcpScope {
            id: "s".to_owned(),
            usage,
            value: "v".to_owned(),
            profile: profile.to_owned(),
            prefix: prefix.map(str::to_owned),
        };
        let operands = vec!["ManufacturerCredential".to_owned()];
        assert!(scope(ScopeUse::Default, "*", None).applies("a", &[]));
        assert!(!scope(ScopeUse::Default, "b", None).applies("a", &[]));
        assert!(scope(ScopeUse::Policy, "a", Some("Manufacturer")).applies("a", &operands));
        assert!(!scope(ScopeUse::Policy, "a", Some("Membership")).applies("a", &operands));
        assert!(!scope(ScopeUse::Policy, "a", None).applies("a", &operands));
    }
}
