//! Who may: decided from the token and the path alone, by an extractor that stands before the body. Nothing is looked
//! up before, so the answer never depends on what exists.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use axum::{
    RequestPartsExt,
    extract::{FromRequestParts, RawPathParams},
};
use heddle_auth::{Principal, RequiredScope};
use heddle_ids::ParticipantContextId;
use heddle_tenancy::ParticipantScope;
use heddle_web::{Kind, Plain, Refused, Rejection, bearer_token};
use http::request::Parts;

use super::Table;

/// How long a caller waits whose token cannot be checked at this moment.
const KEYS_WAIT: Duration = Duration::from_secs(1);

/// What a guard asks of the token's scopes.
pub(super) trait Right {
    const REQUIRED: RequiredScope;
}

/// `pingpong-api:games:read`.
pub(super) enum Read {}

/// `pingpong-api:games:write`.
pub(super) enum Write {}

impl Right for Read {
    const REQUIRED: RequiredScope = RequiredScope::read("pingpong-api", "games");
}

impl Right for Write {
    const REQUIRED: RequiredScope = RequiredScope::write("pingpong-api", "games");
}

/// Leave for what belongs to the participant context of the path.
pub(super) struct Player<R> {
    pub(super) scope: ParticipantScope,
    pub(super) principal: Principal,
    right: PhantomData<fn() -> R>,
}

impl<R: Right> FromRequestParts<Arc<Table>> for Player<R> {
    type Rejection = Refused<Plain>;

    async fn from_request_parts(parts: &mut Parts, table: &Arc<Table>) -> Result<Self, Refused<Plain>> {
        let token = bearer_token(&parts.headers)?;
        let principal = table.authenticator.authenticate(token).await.map_err(|error| {
            if error.is_temporary() {
                return Rejection::unavailable(error.to_string(), KEYS_WAIT);
            }
            Rejection::new(Kind::Unauthorized, error.to_string())
        })?;
        let nowhere = || Rejection::new(Kind::NotFound, "There is nothing at this path.");
        let path = parts.extract::<RawPathParams>().await.map_err(|_| nowhere())?;
        let context = path.iter().find(|(name, _)| *name == "ctx").map(|(_, value)| value);
        let context = context.and_then(|id| ParticipantContextId::parse(id).ok()).ok_or_else(nowhere)?;
        let scope = table.authenticator.participant(&principal, &context, &R::REQUIRED);
        let scope = scope.map_err(|error| Rejection::new(Kind::Forbidden, error.to_string()))?;
        Ok(Self { scope, principal, right: PhantomData })
    }
}
