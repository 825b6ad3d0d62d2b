//! Who asks. 401 and 403 come from the token, the method and the path alone, before anything is read.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use heddle_auth::{Area, Forbidden, Principal, RequiredScope};
use heddle_ids::ParticipantContextId;
use heddle_store::{DeadJob, DeadJobQuery, StoreError};
use heddle_tenancy::{OperatorScope, Owner, ParticipantScope, Scope};
use heddle_web::{Kind, Plain, Refused, Rejection, bearer_token};
use http::{Method, request::Parts};

use crate::server::{foundation::Foundation, unauthenticated::refusal};

const READ: RequiredScope = RequiredScope::read("management-api", "jobs");
const WRITE: RequiredScope = RequiredScope::write("management-api", "jobs");
/// The parameter of a path that names the participant context.
const CONTEXT: &str = "context";

/// Leave to look at dead jobs, and, unless the method only reads, to end them.
pub(super) struct Leave {
    caller: Principal,
    reach: Reach,
}

/// Whose.
enum Reach {
    /// Everybody's: the path names no participant.
    Everybody(OperatorScope),
    /// Those of one participant context.
    Own(ParticipantScope),
}

impl FromRequestParts<Arc<Foundation>> for Leave {
    type Rejection = Refused<Plain>;

    async fn from_request_parts(
        parts: &mut Parts,
        foundation: &Arc<Foundation>,
    ) -> Result<Self, Refused<Plain>> {
        let token = bearer_token(&parts.headers)?;
        let caller = foundation.authenticator.authenticate(token).await;
        let caller = caller.map_err(|error| refusal(&error))?;
        let required = if matches!(parts.method, Method::GET | Method::HEAD) { READ } else { WRITE };
        let reach = match context(parts).await? {
            Some(context) => Reach::Own(
                foundation.authenticator.participant(&caller, &context, &required).map_err(forbidden)?,
            ),
            None => {
                let required = required.within(Area::Installation);
                Reach::Everybody(foundation.authenticator.operator(&caller, &required).map_err(forbidden)?)
            }
        };
        Ok(Self { caller, reach })
    }
}

fn forbidden(error: Forbidden) -> Rejection {
    Rejection::new(Kind::Forbidden, error.to_string())
}

async fn context(parts: &mut Parts) -> Result<Option<ParticipantContextId>, Rejection> {
    let nothing = || Rejection::new(Kind::NotFound, "There is nothing at this path.");
    let parameters = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| nothing())?;
    let named = parameters.iter().find(|(name, _)| *name == CONTEXT);
    named.map(|(_, id)| ParticipantContextId::parse(id).map_err(|_| nothing())).transpose()
}

impl Leave {
    /// The jobs that fit, as far as this leave goes.
    pub(super) async fn dead_jobs(
        &self,
        foundation: &Foundation,
        query: DeadJobQuery,
    ) -> Result<Vec<DeadJob>, StoreError> {
        match &self.reach {
            Reach::Everybody(operator) => foundation.store.everybodys_dead_jobs(operator, query).await,
            Reach::Own(scope) => foundation.store.dead_jobs(scope, query).await,
        }
    }

    /// Leave to change the rows of `owner`, whose job was found with this leave. An administrator's has a reason, which
    /// the commit records.
    pub(super) fn scope_of(
        &self,
        foundation: &Foundation,
        owner: &Owner,
    ) -> Result<Box<dyn Scope>, Rejection> {
        let authenticator = &foundation.authenticator;
        Ok(match owner {
            Owner::Participant(id) => {
                Box::new(authenticator.participant(&self.caller, id, &WRITE).map_err(forbidden)?)
            }
            Owner::Tenant(id) => Box::new(authenticator.tenant(&self.caller, id, &WRITE).map_err(forbidden)?),
            Owner::Installation => {
                let required = WRITE.within(Area::Installation);
                Box::new(authenticator.operator(&self.caller, &required).map_err(forbidden)?)
            }
        })
    }
}
