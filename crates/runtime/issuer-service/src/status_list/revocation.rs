//! Taking a credential back. What is published changes in the same commit.

use heddle_ids::CredentialId;
use heddle_store::{NewEvent, StoreError};
use heddle_telemetry::logs::category;
use heddle_tenancy::ParticipantScope;
use serde::Serialize;

use super::{StatusListRecord, publish, signed};
use crate::{
    IssuerService,
    credential::{IssuedCredential, State},
    issuer::{Issuer, SigningError},
};

/// Attempts against others who change the same list at the same moment.
const ATTEMPTS_MAX: u32 = 8;

/// Why a credential was not taken back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevocationError {
    /// There is no such credential.
    #[error("there is no issued credential '{0}'")]
    Unknown(CredentialId),
    /// The list cannot be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Revoked<'a> {
    participant_context_id: &'a str,
    credential_id: &'a str,
    holder_id: &'a str,
}

/// Takes a credential back; done before, nothing changes.
pub(crate) async fn revoke(
    service: &IssuerService,
    scope: &ParticipantScope,
    id: &CredentialId,
) -> Result<(), RevocationError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match attempt(service, scope, id).await {
            Err(RevocationError::Store(StoreError::Stale { .. })) if attempts < ATTEMPTS_MAX => {}
            outcome => return outcome,
        }
    }
}

async fn attempt(
    service: &IssuerService,
    scope: &ParticipantScope,
    id: &CredentialId,
) -> Result<(), RevocationError> {
    let (parts, unknown) = (&service.parts, || RevocationError::Unknown(id.clone()));
    let mut transaction = parts.store.begin(scope);
    let credential = transaction.load::<IssuedCredential>(id.as_str()).await?.ok_or_else(unknown)?;
    if credential.state == State::Revoked {
        return Ok(());
    }
    let list = transaction.load::<StatusListRecord>(credential.status.list.as_str()).await?;
    let list = list.ok_or_else(unknown)?;
    // Signing may take its time; the versions that were read guard what follows.
    drop(transaction);
    let issuer = Issuer::find(&parts.store, scope.participant()).await?.ok_or(SigningError::NoKey)?;
    let vault = parts.vault.as_ref();
    let key = issuer.signing_key(vault, scope).await?;
    let now = parts.environment.now();
    let next = list.with(credential.status.index).map_err(SigningError::from)?;
    let published = signed(&next, (&key, &parts.public_url), (vault, scope), now).await?;

    let mut transaction = parts.store.begin(scope);
    let revoked =
        IssuedCredential { state: State::Revoked, revoked_at: Some(now), ..credential.value().clone() };
    transaction.save(&credential, &revoked);
    transaction.save(&list, &next);
    publish(&mut transaction, &next, &published);
    let payload = Revoked {
        participant_context_id: scope.participant().as_str(),
        credential_id: id.as_str(),
        holder_id: revoked.holder_id.as_str(),
    };
    transaction.emit(NewEvent::new("issuance.revoked", id.as_str(), &payload));
    transaction.audit("credential.revoke", id.as_str());
    let (credential, holder) = (id.clone(), revoked.holder_id.clone());
    transaction.when_committed(move || {
        tracing::info!(category = category::AUDIT, component = "issuer-service", action = "issuance.revoked",
            counter_party_id = %holder, credential_id = %credential, "a credential was revoked");
    });
    Ok(transaction.commit().await?)
}
