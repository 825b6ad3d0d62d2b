//! The claims of our access tokens (RFC 9068 §2.2), in both dialects.

use heddle_clock::Timestamp;
use heddle_jose::NumericDate;
use heddle_tenancy::Owner;
use serde::Serialize;

use crate::{ApiScope, ClientRecord, Role, TokenSettings};

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
/// texts, or know no `admin` action.
pub(crate) fn expanded(granted: &[ApiScope]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for scope in granted {
        for action in scope.action().included() {
            let text = scope.with_action(action).to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_names_included_actions_and_no_other_resource() {
        let granted = ["a:admin", "b:x:write", "b:x:read"].map(|text| text.parse().expect("legal"));
        assert_eq!(expanded(&granted), "a:read a:write a:admin b:x:read b:x:write");
    }
}
