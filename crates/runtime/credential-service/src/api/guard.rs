//! Who calls the Identity API, and for whose participant context. 401 and 403 come from the token and the path
//! alone, before anything is looked up.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_auth::{Area, Forbidden, Principal, RequiredScope, Unauthenticated};
use heddle_ids::ParticipantContextId;
use heddle_store::Loaded;
use heddle_tenancy::{OperatorScope, ParticipantScope};
use heddle_web::{Kind, Management, Refused, Rejection, bearer_token};

use crate::{
    CredentialService,
    participant::{HOLDER, HolderContext},
};

const API: &str = "identity-api";

/// Making participant contexts and listing all of them.
pub(super) const PARTICIPANTS_ADMIN: RequiredScope = RequiredScope::admin(API).within(Area::Participants);
pub(super) const PARTICIPANTS_READ: RequiredScope =
    RequiredScope::read(API, "participants").within(Area::Participants);
pub(super) const PARTICIPANTS_WRITE: RequiredScope =
    RequiredScope::write(API, "participants").within(Area::Participants);
pub(super) const KEY_PAIRS_READ: RequiredScope = RequiredScope::read(API, "keypairs");
pub(super) const DIDS_READ: RequiredScope = RequiredScope::read(API, "dids").within(Area::Participants);
pub(super) const CREDENTIALS_READ: RequiredScope = RequiredScope::read(API, "credentials");
pub(super) const CREDENTIALS_WRITE: RequiredScope = RequiredScope::write(API, "credentials");
pub(super) const REQUESTS_READ: RequiredScope =
    RequiredScope::read(API, "credentials").within(Area::CredentialRequests);
pub(super) const REQUESTS_WRITE: RequiredScope =
    RequiredScope::write(API, "credentials").within(Area::CredentialRequests);

/// Whoever calls. As an extractor it comes before the body.
pub(super) struct Caller(pub(super) Principal);

impl FromRequestParts<Arc<CredentialService>> for Caller {
    type Rejection = Refused<Management>;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<CredentialService>,
    ) -> Result<Self, Refused<Management>> {
        let bearer = bearer_token(&parts.headers)?;
        let principal =
            service.authenticator.authenticate(bearer).await.map_err(|error| unauthenticated(&error))?;
        Ok(Self(principal))
    }
}

fn unauthenticated(error: &Unauthenticated) -> Rejection {
    if error.is_temporary() {
        return Rejection::unavailable(error.to_string(), std::time::Duration::from_secs(2));
    }
    Rejection::new(Kind::Unauthorized, error.to_string())
}

pub(super) fn forbidden(error: Forbidden) -> Rejection {
    Rejection::new(Kind::Forbidden, error.to_string())
}

impl CredentialService {
    /// Leave to act on all participant contexts.
    pub(super) fn operator(
        &self,
        caller: &Caller,
        required: &RequiredScope,
    ) -> Result<OperatorScope, Rejection> {
        self.authenticator.operator(&caller.0, required).map_err(forbidden)
    }

    /// Leave to act on the participant context of a path, which names it as it is or in base64url.
    pub(super) async fn authorised(
        &self,
        caller: &Caller,
        named: &ParticipantContextId,
        required: &RequiredScope,
    ) -> Result<ParticipantScope, Rejection> {
        let decoded = decoded(named);
        if let Some(own) = decoded.as_ref().filter(|id| caller.0.participant() == Some(id)) {
            return self.authenticator.participant(&caller.0, own, required).map_err(forbidden);
        }
        let scope = self.authenticator.participant(&caller.0, named, required).map_err(forbidden)?;
        // Who may act for everybody may mean either; what exists decides.
        if let Some(other) = decoded
            && self.store.lookup(HOLDER, named.as_str()).await?.is_none()
        {
            return self.authenticator.participant(&caller.0, &other, required).map_err(forbidden);
        }
        Ok(scope)
    }

    /// The participant context that a scope opens.
    pub(super) async fn context(
        &self,
        transaction: &mut heddle_store::Transaction<'_>,
        scope: &ParticipantScope,
    ) -> Result<Loaded<HolderContext>, Rejection> {
        let context = transaction.load::<HolderContext>(scope.participant().as_str()).await?;
        context.ok_or_else(|| not_found("participant context", scope.participant().as_str()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_of_an_id_is_recognised_and_other_ids_are_not() {
        let id = |text: &str| ParticipantContextId::parse(text).expect("legal");
        assert_eq!(decoded(&id("YWNtZQ")), Some(id("acme")));
        assert_eq!(decoded(&id("YWNtZQ==")), Some(id("acme")));
        for plain in ["acme corp", "urn:uuid:1", "a", "_____w"] {
            assert_eq!(decoded(&id(plain)), None, "{plain}");
        }
    }
}
