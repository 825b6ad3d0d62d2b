//! Who calls: one principal from both dialects of claims.
//!
//! | dialect | whose | what |
//! | --- | --- | --- |
//! | (a) | `role` (`admin`, `provisioner`, `participant`) and `participant_context_id` | coarse scopes (`management-api:read`) |
//! | (b) | `sub` is the participant context | fine scopes (`management-api:assets:write`, `…:admin`) |
//!
//! A token may speak both at once; what each says then holds together.

use std::fmt;

use heddle_clock::Timestamp;
use heddle_ids::{ClientId, ParticipantContextId, TenantId};
use serde::{Deserialize, Serialize};

use crate::ScopeSet;

/// What somebody is. A role always restricts what the scopes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Acts for every participant, within the scopes.
    Admin,
    /// The life cycle of participants: contexts, configuration, profiles, data planes, DCP scopes, credential
    /// requests. Never contents.
    Provisioner,
    /// Acts for one participant context, and administers nothing.
    Participant,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Provisioner, Self::Participant];

    /// The value of the `role` claim.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Provisioner => "provisioner",
            Self::Participant => "participant",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whoever a verified token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    subject: String,
    issuer: String,
    role: Option<Role>,
    participant: Option<ParticipantContextId>,
    tenant: Option<TenantId>,
    scopes: ScopeSet,
    client_id: Option<ClientId>,
    expires_at: Timestamp,
}

/// The claims that say who and what. Optional ones that are present must be right.
#[derive(Deserialize)]
pub(crate) struct PrincipalClaims {
    sub: String,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    participant_context_id: Option<ParticipantContextId>,
    #[serde(default)]
    tenant_id: Option<TenantId>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    client_id: Option<ClientId>,
}

/// What the `sub` claim of an issuer's tokens is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The participant context, unless the token names one apart or its role acts for no single one.
    ParticipantContext,
    /// Anything: the issuer always names the participant context apart.
    Opaque,
}

impl Principal {
    pub(crate) fn new(
        issuer: &str,
        claims: PrincipalClaims,
        subject: Subject,
        expires_at: Timestamp,
    ) -> Self {
        let meant = subject == Subject::ParticipantContext
            && claims.tenant_id.is_none()
            && matches!(claims.role, None | Some(Role::Participant));
        let from_subject =
            || if meant { ParticipantContextId::parse(claims.sub.as_str()).ok() } else { None };
        let participant = claims.participant_context_id.or_else(from_subject);
        Self {
            subject: claims.sub,
            issuer: issuer.to_owned(),
            role: claims.role,
            participant,
            tenant: claims.tenant_id,
            scopes: ScopeSet::of_claim(claims.scope.as_deref().unwrap_or_default()),
            client_id: claims.client_id,
            expires_at,
        }
    }

    /// When the token ends: what is given longer than a request lasts, such as a feed, ends then too.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The `sub` claim.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// A text that stands for this subject and no other, over all issuers: what idempotency keys belong to.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.issuer, self.subject)
    }

    /// The role, when the token names one.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        self.role
    }

    /// The participant context that the token is for.
    #[must_use]
    pub const fn participant(&self) -> Option<&ParticipantContextId> {
        self.participant.as_ref()
    }

    /// The tenant that the token is restricted to (`tenant_id`).
    #[must_use]
    pub const fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The scopes.
    #[must_use]
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// The client that the token was given to, when the token says.
    #[must_use]
    pub const fn client_id(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A principal as a token with these claims makes it.
    pub(crate) fn principal(claims: &str, subject: Subject) -> Principal {
        let claims = serde_json::from_str(claims).expect("claims");
        Principal::new("https://idp", claims, subject, Timestamp::from_seconds(1_800_000_000))
    }

    #[test]
    fn both_dialects_name_the_same_participant() {
        let a = r#"{"sub":"user-7","role":"participant","participant_context_id":"acme","scope":"management-api:read"}"#;
        let b = r#"{"sub":"acme","scope":"management-api:assets:write"}"#;
        for claims in [a, b] {
            let principal = principal(claims, Subject::ParticipantContext);
            assert_eq!(principal.participant().map(ParticipantContextId::as_str), Some("acme"), "{claims}");
        }
    }

    #[test]
    fn a_subject_is_no_context_where_it_means_something_else() {
        let sub = r#"{"sub":"acme"}"#;
        assert_eq!(principal(sub, Subject::Opaque).participant(), None);
        for claims in [
            r#"{"sub":"acme","role":"admin"}"#,
            r#"{"sub":"acme","role":"provisioner"}"#,
            r#"{"sub":"acme","tenant_id":"t1"}"#,
        ] {
            assert_eq!(principal(claims, Subject::ParticipantContext).participant(), None, "{claims}");
        }
    }

    #[test]
    fn an_unknown_role_is_an_error_and_not_no_role() {
        for role in [r#""root""#, r#""Admin""#, "7", r#"["admin"]"#] {
            let claims = format!(r#"{{"sub":"acme","role":{role}}}"#);
            assert!(serde_json::from_str::<PrincipalClaims>(&claims).is_err(), "{role}");
        }
    }
}
