//! What an issuer may give at most: whoever trusts somebody else's identity provider need not trust it with everything.

use heddle_ids::{ParticipantContextId, TenantId};

use crate::{Role, ScopeSet, Unauthenticated, principal::PrincipalClaims};

/// The bounds of an issuer. Without any, its tokens are worth as much as our own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssuerLimits {
    /// The roles that its tokens may have; `None` is any. A token without a role passes if [`Self::roleless`].
    pub roles: Option<Vec<Role>>,
    /// Whether tokens without a role are accepted although `roles` are named.
    pub roleless: bool,
    /// The most that its tokens grant: whatever goes beyond is cut off. `None` is everything.
    pub scopes: Option<ScopeSet>,
    /// The only participant contexts and tenants that it speaks for; `None` is all of them. An issuer that is confined
    /// so administers nothing: its tokens name one of these and act for it alone.
    pub owners: Option<Owners>,
}

/// Participant contexts and tenants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owners {
    /// Participant contexts.
    pub participants: Vec<ParticipantContextId>,
    /// Tenants.
    pub tenants: Vec<TenantId>,
}

impl IssuerLimits {
    /// Fails where a token says more than its issuer may.
    pub(crate) fn check_role(&self, role: Option<Role>) -> Result<(), Unauthenticated> {
        let Some(roles) = &self.roles else { return Ok(()) };
        let allowed = role.map_or(self.roleless, |role| roles.contains(&role));
        if allowed { Ok(()) } else { Err(Unauthenticated::Beyond("this role")) }
    }

    /// Fails unless the token is for somebody whom its issuer speaks for.
    pub(crate) fn check_owner(
        &self,
        claims: &PrincipalClaims,
        participant: Option<&ParticipantContextId>,
    ) -> Result<(), Unauthenticated> {
        let Some(owners) = &self.owners else { return Ok(()) };
        let beyond = |what| Err(Unauthenticated::Beyond(what));
        if matches!(claims.role, Some(Role::Admin | Role::Provisioner)) {
            return beyond("a role that acts for others");
        }
        match (participant, &claims.tenant) {
            (None, None) => beyond("tokens that name neither a participant context nor a tenant"),
            (Some(context), _) if !owners.participants.contains(context) => {
                beyond("this participant context")
            }
            (_, Some(tenant)) if !owners.tenants.contains(tenant) => beyond("this tenant"),
            _ => Ok(()),
        }
    }

    /// The scopes that are left of those of a token.
    pub(crate) fn narrow(&self, scopes: ScopeSet) -> ScopeSet {
        match &self.scopes {
            None => scopes,
            Some(most) => scopes.meet(most),
        }
    }
}
