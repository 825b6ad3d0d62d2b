//! Who calls, and what for: decided from the token and the path alone.

use std::time::Duration;

use heddle_auth::{Action, Area, Principal, RequiredScope, Role};
use heddle_ids::ParticipantContextId;
use heddle_tenancy::{Actor, ParticipantScope};
use heddle_vault::VaultError;
use heddle_web::{Kind, Rejection, bearer_token};
use http::HeaderMap;

use crate::{
    DataPlane,
    blob::BlobError,
    control_planes::RegisteredControlPlane,
    flow::SignalError,
    presence::{NotAdmitted, Stay, Word},
    source::SourceError,
};

/// When to try again while an issuer's keys cannot be had.
const KEYS_WAIT: Duration = Duration::from_secs(2);

pub(super) const SOURCES_READ: RequiredScope = RequiredScope::read("data-plane-api", "sources");
pub(super) const SOURCES_WRITE: RequiredScope = RequiredScope::write("data-plane-api", "sources");
pub(super) const FLOWS_READ: RequiredScope = RequiredScope::read("data-plane-api", "flows");
pub(super) const FLOWS_WRITE: RequiredScope = RequiredScope::write("data-plane-api", "flows");
pub(super) const CONTROL_PLANES_WRITE: RequiredScope =
    RequiredScope::write("data-plane-api", "controlplanes").within(Area::DataPlanes);
const PARTICIPANTS_ADMIN: RequiredScope = RequiredScope::admin("data-plane-api").within(Area::Participants);
const SIGNALING: RequiredScope = RequiredScope::every("signaling", Action::Write);

impl DataPlane {
    /// Leave to act on a participant's sources or flows, for its own applications and for administrators.
    pub(super) async fn application(
        &self,
        headers: &HeaderMap,
        context: &ParticipantContextId,
        required: &RequiredScope,
    ) -> Result<ParticipantScope, Rejection> {
        let (_, scope) = self.permitted(headers, context, required).await?;
        match self.stay(&scope).await? {
            Some(Stay::Leaving { .. }) => Err(NotAdmitted::Leaving.into()),
            _ => Ok(scope),
        }
    }

    /// Leave to register a control plane for a participant, and on whose word. Whether it may, the commit decides.
    pub(super) async fn registrar(
        &self,
        headers: &HeaderMap,
        context: &ParticipantContextId,
    ) -> Result<(ParticipantScope, Word), Rejection> {
        let (principal, scope) = self.permitted(headers, context, &CONTROL_PLANES_WRITE).await?;
        let own = principal.participant() == Some(context);
        Ok((scope, if own { Word::Own } else { Word::Administrator }))
    }

    /// Leave to remove a participant.
    pub(super) async fn administrator(
        &self,
        headers: &HeaderMap,
        context: &ParticipantContextId,
    ) -> Result<ParticipantScope, Rejection> {
        Ok(self.permitted(headers, context, &PARTICIPANTS_ADMIN).await?.1)
    }

    async fn permitted(
        &self,
        headers: &HeaderMap,
        context: &ParticipantContextId,
        required: &RequiredScope,
    ) -> Result<(Principal, ParticipantScope), Rejection> {
        let principal = self.principal(headers).await?;
        let scope = self.authenticator.participant(&principal, context, required);
        let scope = scope.map_err(|error| Rejection::new(Kind::Forbidden, error.to_string()))?;
        Ok((principal, scope))
    }

    /// The control plane that signals, by the subject of its token, and leave to work on the flows that it drives.
    /// Nobody but a control plane that the participant has registered is authenticated here.
    pub(super) async fn control_plane(
        &self,
        headers: &HeaderMap,
        context: ParticipantContextId,
    ) -> Result<(ParticipantScope, String), Rejection> {
        let principal = self.principal(headers).await?;
        if !principal.scopes().satisfies(&SIGNALING) {
            return Err(Rejection::new(Kind::Forbidden, format!("Required scope '{SIGNALING}' missing")));
        }
        let id = principal.subject().to_owned();
        let stranger = || {
            let what = format!("The control plane '{id}' is not registered for this participant.");
            Rejection::new(Kind::Unauthorized, what)
        };
        // A participant, or somebody of a tenant, whose name happens to be a control plane's is none.
        let own = principal.participant() == Some(&context);
        let confined = principal.is_confined() && !own;
        if confined || principal.tenant().is_some() || (principal.role() == Some(Role::Participant) && !own) {
            return Err(stranger());
        }
        let scope = self.scopes.participant(context, Actor::new(format!("control plane {id}")));
        match self.store.begin(&scope).load::<RegisteredControlPlane>(&id).await? {
            Some(_) => Ok((scope, id)),
            None => match self.stay(&scope).await? {
                Some(Stay::Leaving { control_planes }) if control_planes.contains(&id) => {
                    Err(NotAdmitted::Leaving.into())
                }
                _ => Err(stranger()),
            },
        }
    }

    async fn principal(&self, headers: &HeaderMap) -> Result<Principal, Rejection> {
        self.authenticator.authenticate(bearer_token(headers)?).await.map_err(|error| {
            match error.is_temporary() {
                true => Rejection::unavailable(error.to_string(), KEYS_WAIT),
                false => Rejection::new(Kind::Unauthorized, error.to_string()),
            }
        })
    }
}

impl From<NotAdmitted> for Rejection {
    fn from(error: NotAdmitted) -> Self {
        match error {
            NotAdmitted::Leaving => Self::new(Kind::Conflict, error.to_string()),
            NotAdmitted::Gone => Self::new(Kind::Forbidden, error.to_string()),
            NotAdmitted::Store(error) => error.into(),
        }
    }
}

impl From<SignalError> for Rejection {
    fn from(error: SignalError) -> Self {
        match error {
            SignalError::NotFound => Self::new(Kind::NotFound, "There is no such flow."),
            SignalError::Invalid(reason) => Self::new(Kind::Invalid, reason),
            SignalError::Conflict(reason) => Self::new(Kind::Conflict, reason),
            SignalError::Ours(_) | SignalError::Vault(_) => Self::internal(&error),
            SignalError::Store(error) => error.into(),
        }
    }
}

impl From<SourceError> for Rejection {
    fn from(error: SourceError) -> Self {
        let message = error.to_string();
        match error {
            SourceError::Absent(_) => Self::new(Kind::NotFound, message),
            SourceError::Unregistered => Self::new(Kind::Conflict, message),
            SourceError::Blob(BlobError::TooLarge { .. }) => Self::new(Kind::TooLarge, message),
            SourceError::Blob(BlobError::BrokenOff(_)) => Self::new(Kind::Malformed, message),
            SourceError::Store(error) | SourceError::Vault(VaultError::Store(error)) => error.into(),
            SourceError::Blob(_) | SourceError::Vault(_) => Self::internal(&message),
        }
    }
}
