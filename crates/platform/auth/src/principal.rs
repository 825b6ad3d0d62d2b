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

use crate::{ScopeSet, TrustedIssuer, Unauthenticated};

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
    confined: bool,
    expires_at: Timestamp,
}

/// The claims that say who and what, whatever the issuer calls them.
pub(crate) struct PrincipalClaims {
    pub(crate) subject: String,
    pub(crate) role: Option<Role>,
    pub(crate) participant: Option<ParticipantContextId>,
    pub(crate) tenant: Option<TenantId>,
    /// Separated by spaces.
    pub(crate) scope: String,
    pub(crate) client: Option<ClientId>,
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
    /// Fails where the claims go beyond what the issuer may give.
    pub(crate) fn new(
        issuer: &TrustedIssuer,
        claims: PrincipalClaims,
        expires_at: Timestamp,
    ) -> Result<Self, Unauthenticated> {
        let meant = issuer.subject == Subject::ParticipantContext
            && claims.tenant.is_none()
            && matches!(claims.role, None | Some(Role::Participant));
        let from_subject =
            || if meant { ParticipantContextId::parse(claims.subject.as_str()).ok() } else { None };
        let participant = claims.participant.clone().or_else(from_subject);
        issuer.limits.check_role(claims.role)?;
        issuer.limits.check_owner(&claims, participant.as_ref())?;
        Ok(Self {
            subject: claims.subject,
            issuer: issuer.name.clone(),
            role: claims.role,
            participant,
            tenant: claims.tenant,
            scopes: issuer.limits.narrow(ScopeSet::of_claim(&claims.scope)),
            client_id: claims.client,
            confined: issuer.limits.owners.is_some(),
            expires_at,
        })
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

    /// Whether its issuer speaks for some participant contexts and tenants alone: then it acts for the one that the token
    /// names, and administers nothing.
    #[must_use]
    pub const fn is_confined(&self) -> bool {
        self.confined
    }

    /// The client that the token was given to, when the token says.
    #[must_use]
    pub const fn client_id(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use heddle_jose::JwkSet;

    use super::*;
    use crate::{AudienceRule, ClaimNames, StaticKeys};

    /// A principal as a token with these claims makes it.
    fn principal(claims: &str, names: ClaimNames) -> Principal {
        let keys = Arc::new(StaticKeys(JwkSet::default()));
        let issuer = TrustedIssuer::external("https://idp", AudienceRule::Unchecked, keys).claims(names);
        let claims = serde_json::from_str(claims).expect("claims");
        let claims = issuer.claims.read(&claims).expect("legal");
        Principal::new(&issuer, claims, Timestamp::from_seconds(1_800_000_000)).expect("without limits")
    }

    #[test]
    fn both_dialects_name_the_same_participant() {
        let a = r#"{"sub":"user-7","role":"participant","participant_context_id":"acme","scope":"management-api:read"}"#;
        let b = r#"{"sub":"acme","scope":"management-api:assets:write"}"#;
        for claims in [a, b] {
            let principal = principal(claims, ClaimNames::default());
            assert_eq!(principal.participant().map(ParticipantContextId::as_str), Some("acme"), "{claims}");
        }
    }

    #[test]
    fn a_subject_is_no_context_where_it_means_something_else() {
        let apart = ClaimNames { participant: Some("context".to_owned()), ..ClaimNames::default() };
        assert_eq!(principal(r#"{"sub":"acme"}"#, apart).participant(), None);
        for claims in [
            r#"{"sub":"acme","role":"admin"}"#,
            r#"{"sub":"acme","role":"provisioner"}"#,
            r#"{"sub":"acme","tenant_id":"t1"}"#,
        ] {
            assert_eq!(principal(claims, ClaimNames::default()).participant(), None, "{claims}");
        }
    }
}
