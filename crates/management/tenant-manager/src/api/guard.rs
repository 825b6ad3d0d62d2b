//! Who calls, and what for: decided from the token and the path alone, by extractors that stand before the body.
//!
//! | guard | opens | a token that names a tenant |
//! | --- | --- | --- |
//! | [`Installation`] | cells, dataspace profiles, new tenants | is refused |
//! | [`OfTenant`] | the tenant of the path | opens that tenant alone |
//! | [`Sight`] | what may be listed or followed | sees that tenant alone |

use std::{marker::PhantomData, sync::Arc, time::Duration};

use axum::{
    RequestPartsExt,
    extract::{FromRequestParts, RawPathParams},
};
use heddle_auth::{Action, Forbidden, Principal, RequiredScope};
use heddle_clock::Timestamp;
use heddle_ids::TenantId;
use heddle_tenancy::{OperatorScope, TenantScope};
use heddle_web::{Fabric, Kind, Refused, Rejection, bearer_token};
use http::request::Parts;

use crate::TenantManager;

const API: &str = "tenant-manager-api";

/// What a guard asks of the token's scopes.
pub(super) trait Right {
    const REQUIRED: RequiredScope;
}

/// `tenant-manager-api:read`.
pub(super) enum Read {}

/// `tenant-manager-api:write`.
pub(super) enum Write {}

impl Right for Read {
    const REQUIRED: RequiredScope = RequiredScope::every(API, Action::Read);
}

impl Right for Write {
    const REQUIRED: RequiredScope = RequiredScope::every(API, Action::Write);
}

/// Leave for what belongs to the installation.
pub(super) struct Installation<R> {
    pub(super) scope: OperatorScope,
    pub(super) principal: Principal,
    right: PhantomData<fn() -> R>,
}

/// Leave for what belongs to the tenant of the path.
pub(super) struct OfTenant<R> {
    pub(super) scope: TenantScope,
    pub(super) principal: Principal,
    right: PhantomData<fn() -> R>,
}

/// Leave to see: everything, or one tenant.
pub(super) struct Sight {
    pub(super) scope: SightScope,
    principal: Principal,
}

/// How far one sees.
pub(super) enum SightScope {
    Everything(OperatorScope),
    Tenant(TenantScope),
}

impl Installation<Write> {
    /// Leave to act for a tenant that is being made.
    pub(super) fn tenant(
        &self,
        manager: &TenantManager,
        tenant: &TenantId,
    ) -> Result<TenantScope, Rejection> {
        manager.authenticator.tenant(&self.principal, tenant, &Write::REQUIRED).map_err(forbidden)
    }
}

impl Sight {
    /// When the token ends.
    pub(super) fn expires_at(&self) -> Timestamp {
        self.principal.expires_at()
    }

    /// Leave to see one tenant of a list.
    pub(super) fn tenant(
        &self,
        manager: &TenantManager,
        tenant: &TenantId,
    ) -> Result<TenantScope, Rejection> {
        manager.authenticator.tenant(&self.principal, tenant, &Read::REQUIRED).map_err(forbidden)
    }
}

impl<R: Right> FromRequestParts<Arc<TenantManager>> for Installation<R> {
    type Rejection = Refused<Fabric>;

    async fn from_request_parts(
        parts: &mut Parts,
        manager: &Arc<TenantManager>,
    ) -> Result<Self, Refused<Fabric>> {
        let principal = authenticated(parts, manager).await?;
        let scope = manager.authenticator.operator(&principal, &R::REQUIRED).map_err(forbidden)?;
        Ok(Self { scope, principal, right: PhantomData })
    }
}

impl<R: Right> FromRequestParts<Arc<TenantManager>> for OfTenant<R> {
    type Rejection = Refused<Fabric>;

    async fn from_request_parts(
        parts: &mut Parts,
        manager: &Arc<TenantManager>,
    ) -> Result<Self, Refused<Fabric>> {
        let principal = authenticated(parts, manager).await?;
        let nowhere = || Rejection::new(Kind::NotFound, "There is nothing at this path.");
        let path = parts.extract::<RawPathParams>().await.map_err(|_| nowhere())?;
        let tenant = path.iter().find(|(name, _)| *name == "tenant").map(|(_, value)| value);
        let tenant = tenant.and_then(|id| TenantId::parse(id).ok()).ok_or_else(nowhere)?;
        let scope = manager.authenticator.tenant(&principal, &tenant, &R::REQUIRED).map_err(forbidden)?;
        Ok(Self { scope, principal, right: PhantomData })
    }
}

impl FromRequestParts<Arc<TenantManager>> for Sight {
    type Rejection = Refused<Fabric>;

    async fn from_request_parts(
        parts: &mut Parts,
        manager: &Arc<TenantManager>,
    ) -> Result<Self, Refused<Fabric>> {
        let principal = authenticated(parts, manager).await?;
        let authenticator = &manager.authenticator;
        let scope = match principal.tenant() {
            None => authenticator.operator(&principal, &Read::REQUIRED).map(SightScope::Everything),
            Some(own) => authenticator.tenant(&principal, own, &Read::REQUIRED).map(SightScope::Tenant),
        };
        Ok(Self { scope: scope.map_err(forbidden)?, principal })
    }
}

async fn authenticated(parts: &Parts, manager: &TenantManager) -> Result<Principal, Rejection> {
    let token = bearer_token(&parts.headers)?;
    manager.authenticator.authenticate(token).await.map_err(|error| {
        if error.is_temporary() {
            return Rejection::unavailable(error.to_string(), Duration::from_secs(2));
        }
        Rejection::new(Kind::Unauthorized, error.to_string())
    })
}

fn forbidden(error: Forbidden) -> Rejection {
    Rejection::new(Kind::Forbidden, error.to_string())
}
