//! Who calls, and what for. 401 and 403 come from the token and the path alone: both are decided by extractors that
//! stand before the body, so nothing is read or looked up for somebody who may not ask.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, RawPathParams};
use heddle_auth::{Action, Area, Forbidden, Principal, RequiredScope, Unauthenticated};
use heddle_ids::ParticipantContextId;
use heddle_tenancy::{OperatorScope, ParticipantScope};
use heddle_web::{Kind, Management, Refused, Rejection, bearer_token};
use http::request::Parts;

use crate::ControlPlane;

const API: &str = "management-api";
/// The parameter of a path that names the participant context.
const CONTEXT: &str = "context";

/// What an endpoint requires; one type per scope, so that a handler's signature says it.
pub(super) trait Requirement: Send + Sync + 'static {
    /// The scope.
    const SCOPE: RequiredScope;
    /// Others, any of which is as good; what is shown depends on it then ([`Own::satisfies`]).
    const OR: &'static [RequiredScope] = &[];
}

macro_rules! requirements {
    ($($name:ident = $scope:expr;)+) => {$(
        #[derive(Debug)]
        pub(super) struct $name;

        impl Requirement for $name {
            const SCOPE: RequiredScope = $scope;
        }
    )+};
}

requirements! {
    AgreementsRead = RequiredScope::read(API, "agreements");
    AssetsRead = RequiredScope::read(API, "assets");
    AssetsWrite = RequiredScope::write(API, "assets");
    CatalogRead = RequiredScope::read(API, "catalog");
    ConfigAdmin = RequiredScope::admin(API).within(Area::Configuration);
    DataPlanesRead = RequiredScope::read(API, "dataplanes").within(Area::DataPlanes);
    DataPlanesWrite = RequiredScope::write(API, "dataplanes").within(Area::DataPlanes);
    DcpScopesAdmin = RequiredScope::admin(API).within(Area::DcpScopes);
    DefinitionsRead = RequiredScope::read(API, "contractdefinitions");
    DefinitionsWrite = RequiredScope::write(API, "contractdefinitions");
    EventsRead = RequiredScope::every(API, Action::Read);
    ExpressionsAdmin = RequiredScope::admin(API).within(Area::Installation);
    NegotiationsRead = RequiredScope::read(API, "negotiations");
    NegotiationsWrite = RequiredScope::write(API, "negotiations");
    ParticipantsAdmin = RequiredScope::admin(API).within(Area::Participants);
    PoliciesRead = RequiredScope::read(API, "policies");
    PoliciesWrite = RequiredScope::write(API, "policies");
    ProfilesAdmin = RequiredScope::admin(API).within(Area::Profiles);
    ProfilesRead = RequiredScope::read(API, "profiles").within(Area::Profiles);
    ProfilesWrite = RequiredScope::write(API, "profiles").within(Area::Profiles);
    TransfersRead = RequiredScope::read(API, "transfers");
    TransfersWrite = RequiredScope::write(API, "transfers");
}

/// Denials are about requests of several kinds.
#[derive(Debug)]
pub(super) struct DenialsRead;

impl Requirement for DenialsRead {
    const SCOPE: RequiredScope = NegotiationsRead::SCOPE;
    const OR: &'static [RequiredScope] = &[CatalogRead::SCOPE, TransfersRead::SCOPE];
}

/// Leave to act on the participant context that the path names.
pub(super) struct Own<R> {
    /// The leave.
    pub(super) scope: ParticipantScope,
    /// Whoever calls.
    pub(super) caller: Principal,
    requirement: PhantomData<fn() -> R>,
}

/// Leave to act on the installation.
pub(super) struct Installation<R> {
    /// The leave.
    pub(super) scope: OperatorScope,
    /// Whoever calls.
    pub(super) caller: Principal,
    requirement: PhantomData<fn() -> R>,
}

impl<R: Requirement> FromRequestParts<Arc<ControlPlane>> for Own<R> {
    type Rejection = Refused<Management>;

    async fn from_request_parts(
        parts: &mut Parts,
        plane: &Arc<ControlPlane>,
    ) -> Result<Self, Refused<Management>> {
        let caller = caller(parts, plane).await?;
        let context = context(parts).await?;
        let leave = |required| plane.authenticator.participant(&caller, &context, required);
        let scope = leave(&R::SCOPE);
        let scope =
            R::OR.iter().fold(scope, |scope, other| scope.or_else(|error| leave(other).map_err(|_| error)));
        let scope = scope.map_err(forbidden)?;
        Ok(Self { scope, caller, requirement: PhantomData })
    }
}

impl<R> Own<R> {
    /// Whether the caller has leave for what else this scope opens.
    pub(super) fn satisfies(&self, plane: &ControlPlane, required: &RequiredScope) -> bool {
        plane.authenticator.participant(&self.caller, self.scope.participant(), required).is_ok()
    }
}

impl<R: Requirement> FromRequestParts<Arc<ControlPlane>> for Installation<R> {
    type Rejection = Refused<Management>;

    async fn from_request_parts(
        parts: &mut Parts,
        plane: &Arc<ControlPlane>,
    ) -> Result<Self, Refused<Management>> {
        let caller = caller(parts, plane).await?;
        let scope = plane.authenticator.operator(&caller, &R::SCOPE).map_err(forbidden)?;
        Ok(Self { scope, caller, requirement: PhantomData })
    }
}

impl<R: Requirement> Installation<R> {
    /// Leave to act on one participant context of the installation.
    pub(super) fn participant(
        &self,
        plane: &ControlPlane,
        context: &ParticipantContextId,
    ) -> Result<ParticipantScope, Rejection> {
        plane.authenticator.participant(&self.caller, context, &R::SCOPE).map_err(forbidden)
    }
}

async fn caller(parts: &Parts, plane: &ControlPlane) -> Result<Principal, Rejection> {
    let token = bearer_token(&parts.headers)?;
    plane.authenticator.authenticate(token).await.map_err(|error: Unauthenticated| {
        if error.is_temporary() {
            return Rejection::unavailable(error.to_string(), Duration::from_secs(2));
        }
        Rejection::new(Kind::Unauthorized, error.to_string())
    })
}

async fn context(parts: &mut Parts) -> Result<ParticipantContextId, Rejection> {
    let nothing = || Rejection::new(Kind::NotFound, "There is nothing at this path.");
    let parameters = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| nothing())?;
    let named = parameters.iter().find(|(name, _)| *name == CONTEXT);
    named.and_then(|(_, value)| ParticipantContextId::parse(value).ok()).ok_or_else(nothing)
}

fn forbidden(error: Forbidden) -> Rejection {
    Rejection::new(Kind::Forbidden, error.to_string())
}
