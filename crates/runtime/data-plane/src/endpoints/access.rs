//! Who calls, and what for: decided from the token and the path alone.

use heddle_auth::{Action, Area, RequiredScope};
use heddle_ids::ParticipantContextId;
use heddle_tenancy::{Actor, ParticipantScope};
use heddle_web::{Kind, Rejection, bearer_token};
use http::HeaderMap;

use crate::{DataPlane, flow::SignalError};

pub(super) const SOURCES_READ: RequiredScope = RequiredScope::read("data-plane-api", "sources");
pub(super) const SOURCES_WRITE: RequiredScope = RequiredScope::write("data-plane-api", "sources");
pub(super) const FLOWS_READ: RequiredScope = RequiredScope::read("data-plane-api", "flows");
pub(super) const FLOWS_WRITE: RequiredScope = RequiredScope::write("data-plane-api", "flows");
pub(super) const CONTROL_PLANES_WRITE: RequiredScope =
    RequiredScope::write("data-plane-api", "controlplanes").within(Area::DataPlanes);
const SIGNALING: RequiredScope = RequiredScope::every("signaling", Action::Write);

impl DataPlane {
    /// Leave to act on a participant's sources or flows, for its own applications and for administrators.
    pub(super) async fn application(
        &self,
        headers: &HeaderMap,
        context: &ParticipantContextId,
        required: &RequiredScope,
    ) -> Result<ParticipantScope, Rejection> {
        let principal = self.authenticator.authenticate(bearer_token(headers)?).await;
        let principal = principal.map_err(|error| Rejection::new(Kind::Unauthorized, error.to_string()))?;
        let scope = self.authenticator.participant(&principal, context, required);
        scope.map_err(|error| Rejection::new(Kind::Forbidden, error.to_string()))
    }

    /// The control plane that signals, by the subject of its token, and leave to work on the flows that it drives.
    pub(super) async fn control_plane(
        &self,
        headers: &HeaderMap,
        context: ParticipantContextId,
    ) -> Result<(ParticipantScope, String), Rejection> {
        let principal = self.authenticator.authenticate(bearer_token(headers)?).await;
        let principal = principal.map_err(|error| Rejection::new(Kind::Unauthorized, error.to_string()))?;
        if !principal.scopes().satisfies(&SIGNALING) {
            return Err(Rejection::new(Kind::Forbidden, format!("The token lacks the scope {SIGNALING}.")));
        }
        let id = principal.subject().to_owned();
        Ok((self.scopes.participant(context, Actor::new(format!("control plane {id}"))), id))
    }
}

impl From<SignalError> for Rejection {
    fn from(error: SignalError) -> Self {
        match error {
            SignalError::NotFound => Self::new(Kind::NotFound, "There is no such flow."),
            SignalError::Invalid(reason) => Self::new(Kind::Invalid, reason),
            SignalError::Conflict(reason) => Self::new(Kind::Conflict, reason),
            SignalError::Store(error) => error.into(),
        }
    }
}
