//! Who calls the Issuer Admin API, and for which issuer. 401 and 403 come from the token and the path alone, before
//! the body is read and before anything is looked up.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_auth::{Area, Forbidden, Principal, RequiredScope, Unauthenticated};
use heddle_ids::ParticipantContextId;
use heddle_store::Transaction;
use heddle_tenancy::ParticipantScope;
use heddle_web::{Kind, Management, Refused, Rejection, bearer_token};

use crate::{IssuerService, issuer::Issuer, standing::NotHeld};

const API: &str = "issuer-admin-api";

/// What an endpoint asks of its caller.
pub(super) trait Requirement: Send + Sync + 'static {
    /// The scope.
    const SCOPE: RequiredScope;
    /// Whether it is there for an issuer that is being removed, too.
    const TO_THE_END: bool = false;
}

macro_rules! requirements {
    ($($(#[$doc:meta])* $name:ident = $scope:expr;)+) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl Requirement for $name {
            const SCOPE: RequiredScope = $scope;
        }
    )+};
}

requirements! {
    /// Holders come and go with the participants of the dataspace, so a provisioner may register them.
    ReadHolders = RequiredScope::read(API, "holders").within(Area::Participants);
    WriteHolders = RequiredScope::write(API, "holders").within(Area::Participants);
    ReadAttestations = RequiredScope::read(API, "attestations");
    WriteAttestations = RequiredScope::write(API, "attestations");
    ReadDefinitions = RequiredScope::read(API, "credentialdefinitions");
    WriteDefinitions = RequiredScope::write(API, "credentialdefinitions");
    ReadCredentials = RequiredScope::read(API, "credentials");
    WriteCredentials = RequiredScope::write(API, "credentials");
    ReadProcesses = RequiredScope::read(API, "issuanceprocesses");
}

/// Removing an issuer is the business of whoever administers participants, never its own.
pub(super) struct RemoveIssuer;

impl Requirement for RemoveIssuer {
    const SCOPE: RequiredScope = RequiredScope::admin(API).within(Area::Participants);
    const TO_THE_END: bool = true;
}

/// Leave to act on the issuer of the path. As an extractor it comes before the body.
pub(super) struct Leave<R> {
    pub(super) scope: ParticipantScope,
    /// Whose idempotency keys count.
    pub(super) principal: String,
    requirement: PhantomData<fn() -> R>,
}

impl<R: Requirement> FromRequestParts<Arc<IssuerService>> for Leave<R> {
    type Rejection = Refused<Management>;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<IssuerService>,
    ) -> Result<Self, Refused<Management>> {
        let bearer = bearer_token(&parts.headers)?;
        let authenticated = service.parts.authenticator.authenticate(bearer).await;
        let principal = authenticated.map_err(|error| unauthenticated(&error))?;
        let named = named(parts, service).await?;
        let scope = service.authorised(&principal, &named, &R::SCOPE).await?;
        if !R::TO_THE_END
            && service.is_being_removed(&scope, scope.participant()).await.map_err(Rejection::from)?
        {
            return Err(Rejection::from(NotHeld::Leaving).into());
        }
        Ok(Self { scope, principal: principal.key(), requirement: PhantomData })
    }
}

/// The participant context of the path.
async fn named(parts: &mut Parts, service: &Arc<IssuerService>) -> Result<ParticipantContextId, Rejection> {
    let nothing = || Rejection::new(Kind::NotFound, "There is nothing at this path.");
    let parameters = RawPathParams::from_request_parts(parts, service).await.map_err(|_| nothing())?;
    let named = parameters.iter().find(|(name, _)| *name == "context").map(|(_, value)| value);
    named.and_then(|text| ParticipantContextId::parse(text).ok()).ok_or_else(nothing)
}

fn unauthenticated(error: &Unauthenticated) -> Rejection {
    if error.is_temporary() {
        return Rejection::unavailable(error.to_string(), std::time::Duration::from_secs(2));
    }
    Rejection::new(Kind::Unauthorized, error.to_string())
}

fn forbidden(error: Forbidden) -> Rejection {
    Rejection::new(Kind::Forbidden, error.to_string())
}

impl IssuerService {
    /// Leave to act on the participant context of a path, which names it as it is or in base64url.
    async fn authorised(
        &self,
        principal: &Principal,
        named: &ParticipantContextId,
        required: &RequiredScope,
    ) -> Result<ParticipantScope, Rejection> {
        let authenticator = &self.parts.authenticator;
        let decoded = decoded(named);
        if let Some(own) = decoded.as_ref().filter(|id| principal.participant() == Some(id)) {
            return authenticator.participant(principal, own, required).map_err(forbidden);
        }
        let scope = authenticator.participant(principal, named, required).map_err(forbidden)?;
        // Who may act for everybody may mean either; what exists decides.
        if let Some(other) = decoded
            && Issuer::find(&self.parts.store, named).await?.is_none()
        {
            return authenticator.participant(principal, &other, required).map_err(forbidden);
        }
        Ok(scope)
    }

    /// Makes the commit fail when the issuer is being removed since the request was admitted: a body may take its time.
    pub(super) async fn hold(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &ParticipantScope,
    ) -> Result<(), Rejection> {
        transaction.check(&self.standing(scope, scope.participant()).await?);
        Ok(())
    }

    /// The issuer that a scope opens.
    pub(super) async fn issuer(&self, scope: &ParticipantScope) -> Result<Issuer, Rejection> {
        let issuer = Issuer::find(&self.parts.store, scope.participant()).await?;
        issuer.ok_or_else(|| not_found("participant context", scope.participant().as_str()))
    }
}

impl From<NotHeld> for Rejection {
    fn from(error: NotHeld) -> Self {
        match error {
            NotHeld::Leaving => Self::new(Kind::Conflict, error.to_string()),
            NotHeld::Store(error) => error.into(),
        }
    }
}

/// The id that a text stands for when it is base64url of one.
fn decoded(named: &ParticipantContextId) -> Option<ParticipantContextId> {
    let bytes = URL_SAFE_NO_PAD.decode(named.as_str().trim_end_matches('=')).ok()?;
    ParticipantContextId::parse(String::from_utf8(bytes).ok()?).ok()
}

pub(super) fn not_found(what: &str, id: &str) -> Rejection {
    Rejection::new(Kind::NotFound, format!("There is no {what} '{id}'."))
}
