//! Who calls, and what for: decided from the token alone, by extractors that stand before the body.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRequestParts;
use heddle_auth::{Action, Principal, RequiredScope};
use heddle_ids::TenantId;
use heddle_tenancy::{OperatorScope, TenantScope};
use heddle_web::{Fabric, Kind, Refused, Rejection, bearer_token};
use http::request::Parts;

use crate::TenantManager;

const API: &str = "tenant-manager-api";
const READ: RequiredScope = RequiredScope::every(API, Action::Read);
const WRITE: RequiredScope = RequiredScope::every(API, Action::Write);

/// Leave to see.
pub(super) struct Reader {
    pub(super) scope: OperatorScope,
    principal: Principal,
}

/// Leave to change.
pub(super) struct Writer {
    pub(super) scope: OperatorScope,
    pub(super) principal: Principal,
}

impl Reader {
    /// Leave to see what belongs to a tenant. Whoever may not is told what a stranger to the id is told.
    pub(super) fn tenant(&self, manager: &TenantManager, tenant: &TenantId) -> Option<TenantScope> {
        manager.authenticator.tenant(&self.principal, tenant, &READ).ok()
    }
}

impl Writer {
    /// Leave to act for a tenant.
    pub(super) fn tenant(
        &self,
        manager: &TenantManager,
        tenant: &TenantId,
    ) -> Result<TenantScope, Rejection> {
        let scope = manager.authenticator.tenant(&self.principal, tenant, &WRITE);
        scope.map_err(|error| Rejection::new(Kind::Forbidden, error.to_string()))
    }
}

impl FromRequestParts<Arc<TenantManager>> for Reader {
    type Rejection = Refused<Fabric>;

    async fn from_request_parts(
        parts: &mut Parts,
        manager: &Arc<TenantManager>,
    ) -> Result<Self, Refused<Fabric>> {
        let (principal, scope) = authorized(parts, manager, &READ).await?;
        Ok(Self { scope, principal })
    }
}

impl FromRequestParts<Arc<TenantManager>> for Writer {
    type Rejection = Refused<Fabric>;

    async fn from_request_parts(
        parts: &mut Parts,
        manager: &Arc<TenantManager>,
    ) -> Result<Self, Refused<Fabric>> {
        let (principal, scope) = authorized(parts, manager, &WRITE).await?;
        Ok(Self { scope, principal })
    }
}

async fn authorized(
    parts: &Parts,
    manager: &TenantManager,
    required: &RequiredScope,
) -> Result<(Principal, OperatorScope), Rejection> {
    let principal =
        manager.authenticator.authenticate(bearer_token(&parts.headers)?).await.map_err(|error| {
            if error.is_temporary() {
                return Rejection::unavailable(error.to_string(), Duration::from_secs(2));
            }
            Rejection::new(Kind::Unauthorized, error.to_string())
        })?;
    let scope = manager.authenticator.operator(&principal, required);
    let scope = scope.map_err(|error| Rejection::new(Kind::Forbidden, error.to_string()))?;
    Ok((principal, scope))
}
