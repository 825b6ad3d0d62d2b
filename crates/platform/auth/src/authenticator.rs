//! The resource server: tokens to principals, principals to scopes.

use std::{fmt, sync::Arc};

use heddle_clock::Environment;
use heddle_ids::{ParticipantContextId, TenantId};
use heddle_tenancy::{Actor, OperatorScope, ParticipantScope, ScopeIssuer, TenantScope};

use crate::{
    Forbidden, Principal, RequiredScope, Role, TrustedIssuer, Unauthenticated,
    authorisation::{self, Reach},
    verification::TokenVerifier,
};

/// Authenticates callers of the Administration APIs and mints the scopes that they may have.
pub struct Authenticator {
    scopes: Arc<ScopeIssuer>,
    verifier: TokenVerifier,
}

impl Authenticator {
    /// Trusts these issuers. Of two with the same name the first counts.
    #[must_use]
    pub fn new(scopes: Arc<ScopeIssuer>, issuers: Vec<TrustedIssuer>, environment: Environment) -> Self {
        Self { scopes, verifier: TokenVerifier::new(issuers, environment) }
    }

    /// Whoever the token speaks for. Looks nothing up but the keys of its issuer, and whether those whom the token names
    /// have ended.
    ///
    /// # Errors
    /// See [`Unauthenticated`]. Expiry, `nbf` and `iat` have the leeway of the issuer; `exp` must be there.
    pub async fn authenticate(&self, bearer: &str) -> Result<Principal, Unauthenticated> {
        self.verifier.verify(bearer).await
    }

    /// Which issuers' keys cannot be had at this moment, each with the reason, without secrets. Their tokens cannot be
    /// checked, as far as no key of theirs is remembered.
    pub async fn troubled_issuers(&self) -> Vec<String> {
        self.verifier.troubled_issuers().await
    }

    /// Everything of `context`, for its own principals and for those who administer it; the latter with a
    /// reason, which the store records in the commit that they cause.
    ///
    /// # Errors
    /// See [`Forbidden`].
    pub fn participant(
        &self,
        principal: &Principal,
        context: &ParticipantContextId,
        required: &RequiredScope,
    ) -> Result<ParticipantScope, Forbidden> {
        let actor = match authorisation::participant(principal, context, required)? {
            Reach::Own => Actor::new(principal.subject()),
            Reach::Administered => {
                let role = principal.role().unwrap_or(Role::Admin);
                Actor::administrator(principal.subject(), format!("{required} as {role}"))
            }
        };
        Ok(self.scopes.participant(context.clone(), actor))
    }

    /// The installation itself.
    ///
    /// # Errors
    /// See [`Forbidden`].
    pub fn operator(
        &self,
        principal: &Principal,
        required: &RequiredScope,
    ) -> Result<OperatorScope, Forbidden> {
        authorisation::operator(principal, required)?;
        Ok(self.scopes.operator(Actor::new(principal.subject())))
    }

    /// One tenant's management data. A token that names a tenant opens that one alone.
    ///
    /// # Errors
    /// See [`Forbidden`].
    pub fn tenant(
        &self,
        principal: &Principal,
        tenant: &TenantId,
        required: &RequiredScope,
    ) -> Result<TenantScope, Forbidden> {
        authorisation::tenant(principal, tenant, required)?;
        Ok(self.scopes.tenant(tenant.clone(), Actor::new(principal.subject())))
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// The token of an `Authorization` header (RFC 6750 §2.1).
///
/// # Errors
/// [`Unauthenticated::Missing`] without a header, [`Unauthenticated::Scheme`] for anything but `Bearer` and one
/// token.
pub fn bearer(authorization: Option<&str>) -> Result<&str, Unauthenticated> {
    let header = authorization.ok_or(Unauthenticated::Missing)?;
    let (scheme, token) = header.split_once(' ').ok_or(Unauthenticated::Scheme)?;
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(Unauthenticated::Scheme);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_tokens_are_taken_from_their_header_and_from_nothing_else() {
        assert_eq!(bearer(Some("Bearer abc")), Ok("abc"));
        assert_eq!(bearer(Some("bearer  abc")), Ok("abc"));
        assert_eq!(bearer(None), Err(Unauthenticated::Missing));
        for header in ["", "abc", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer, abc"] {
            assert_eq!(bearer(Some(header)), Err(Unauthenticated::Scheme), "{header}");
        }
    }
}
