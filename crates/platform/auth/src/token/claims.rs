//! The claims of our access tokens (RFC 9068 §2.2), in both dialects.

use heddle_clock::Timestamp;
use heddle_jose::NumericDate;
use heddle_tenancy::Owner;
use serde::Serialize;

use crate::{ApiScope, ClientRecord, Role, SCOPES_MAX, TokenSettings, scope::SCOPES_BYTES_MAX};

/// What an access token says.
#[derive(Serialize)]
pub(crate) struct AccessTokenClaims<'a> {
    iss: &'a str,
    /// The participant context; for clients of others, the client.
    sub: &'a str,
    aud: &'a str,
    iat: NumericDate,
    exp: NumericDate,
    jti: String,
    client_id: &'a str,
    /// For which of the client's secrets: the token ends with it.
    client_mark: String,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_context_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
}

impl<'a> AccessTokenClaims<'a> {
    pub(crate) fn new(
        settings: &'a TokenSettings,
        (owner, client): (&'a Owner, &'a ClientRecord),
        scope: &'a str,
        (issued_at, expires_at): (Timestamp, Timestamp),
    ) -> Self {
        let (participant_context_id, tenant_id) = match owner {
            Owner::Installation => (None, None),
            Owner::Participant(context) => (Some(context.as_str()), None),
            Owner::Tenant(tenant) => (None, Some(tenant.as_str())),
        };
        let client_id = client.client_id().as_str();
        Self {
            iss: &settings.issuer,
            sub: participant_context_id.unwrap_or(client_id),
            aud: &settings.audience,
            iat: NumericDate(issued_at),
            exp: NumericDate(expires_at),
            jti: String::new(),
            client_id,
            client_mark: client.mark(),
            scope,
            role: client.role(),
            participant_context_id,
            tenant_id,
        }
    }

    pub(crate) fn with_id(self, jti: String) -> Self {
        Self { jti, ..self }
    }
}

/// The scopes as a claim: beside each one those that it includes, for resource servers that compare them as
/// texts, or know no `admin` action. Where that is more than a token may have, what was granted comes first, and of the
/// others as many as there is room for: everybody who reads the claim reads all that was granted.
pub(crate) fn expanded(granted: &[ApiScope]) -> String {
    let all = granted
        .iter()
        .flat_map(|scope| scope.action().included().map(|action| scope.with_action(action).to_string()));
    let all = Claim::default().with(all);
    if all.is_whole {
        return all.text();
    }
    let included = granted.iter().flat_map(|scope| {
        let lesser = scope.action().included().filter(|action| *action < scope.action());
        lesser.map(|action| scope.with_action(action).to_string())
    });
    Claim::default().with(granted.iter().map(ApiScope::to_string)).with(included).text()
}

/// A claim under way, each scope once.
struct Claim {
    scopes: Vec<String>,
    bytes: usize,
    is_whole: bool,
}

impl Default for Claim {
    fn default() -> Self {
        Self { scopes: Vec::new(), bytes: 0, is_whole: true }
    }
}

impl Claim {
    fn with(mut self, texts: impl Iterator<Item = String>) -> Self {
        for text in texts {
            if self.scopes.contains(&text) {
                continue;
            }
            if self.scopes.len() == SCOPES_MAX || self.bytes + text.len() + 1 > SCOPES_BYTES_MAX {
                self.is_whole = false;
                continue;
            }
            self.bytes += text.len() + 1;
            self.scopes.push(text);
        }
        self
    }

    fn text(&self) -> String {
        self.scopes.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_names_included_actions_and_no_other_resource() {
        let granted = ["a:admin", "b:x:write", "b:x:read"].map(|text| text.parse().expect("legal"));
        assert_eq!(expanded(&granted), "a:read a:write a:admin b:x:read b:x:write");
    }

    #[test]
    fn what_was_granted_has_room_before_what_it_includes() {
        for (count, resource) in [(SCOPES_MAX, "r".to_owned()), (100, "r".repeat(60))] {
            let granted: Vec<ApiScope> =
                (0..count).map(|n| format!("api:{resource}{n}:admin").parse().expect("legal")).collect();
            let claim = expanded(&granted);
            assert!(claim.len() <= SCOPES_BYTES_MAX && claim.split(' ').count() <= SCOPES_MAX, "{count}");
            let read = crate::ScopeSet::of_claim(&claim);
            for scope in &granted {
                assert!(read.iter().any(|has| has.includes(scope)), "{scope} was cut off");
            }
        }
    }
}
