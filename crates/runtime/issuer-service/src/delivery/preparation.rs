//! Making the credentials of a process: places in status lists, signatures, and all of it stored in one commit.

use heddle_credentials::{CredentialDraft, Format, StatusEntry, StatusKind, StatusPurpose, vc11};
use heddle_dcp::issuance::issuer::State;
use heddle_ids::{CredentialId, IssuerPid};
use heddle_store::{Loaded, StoreError};
use heddle_tenancy::ParticipantScope;

use super::outcome::DeliveryError;
use crate::{
    IssuerService,
    credential::{self, IssuedCredential, StatusPlace},
    issuer::{Issuer, SigningError, SigningKey},
    process::{Approved, IssuanceProcess},
    status_list::{self, Allocation, Kind, PublishedList},
};

/// Attempts against others who take places in the same list at the same moment; a participant has fewer jobs under
/// way than this.
const ATTEMPTS_MAX: u32 = 32;

/// A process whose credentials are signed and stored.
pub(super) struct Ready {
    pub(super) issuer: Issuer,
    pub(super) process: IssuanceProcess,
    pub(super) credentials: Vec<IssuedCredential>,
}

/// The credentials of a process: those that were stored, else new ones. `None` when nothing is to be delivered.
pub(super) async fn prepared(
    service: &IssuerService,
    scope: &ParticipantScope,
    id: &IssuerPid,
) -> Result<Option<Ready>, DeliveryError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match attempt(service, scope, id).await {
            Err(DeliveryError::Store(StoreError::Stale { .. } | StoreError::Duplicate { .. }))
                if attempts < ATTEMPTS_MAX => {}
            outcome => return outcome,
        }
    }
}

async fn attempt(
    service: &IssuerService,
    scope: &ParticipantScope,
    id: &IssuerPid,
) -> Result<Option<Ready>, DeliveryError> {
    let store = &service.parts.store;
    if service.is_being_removed(scope, scope.participant()).await? {
        return Ok(None);
    }
    let issuer = Issuer::find(store, scope.participant()).await?.filter(|issuer| issuer.active);
    let issuer = issuer.ok_or(DeliveryError::Inactive)?;
    let mut transaction = store.begin(scope);
    let process = transaction.load::<IssuanceProcess>(id.as_str()).await?;
    let Some(process) = process.filter(|process| process.state == State::Approved) else { return Ok(None) };
    let mut credentials = Vec::new();
    for id in &process.credentials {
        let stored = transaction.load::<IssuedCredential>(id.as_str()).await?.map(Loaded::into_value);
        credentials.push(stored.ok_or_else(|| DeliveryError::Lost(id.clone()))?);
    }
    if !credentials.is_empty() {
        return Ok(Some(Ready { issuer, process: process.into_value(), credentials }));
    }
    let mut allocation = Allocation::default();
    let mut places = Vec::new();
    for approved in &process.approved {
        let kind = kind_of(approved.format);
        places.push(allocation.take(&mut transaction, kind, &service.parts.environment).await?);
    }
    // Signing may take its time; the versions that were read guard what follows.
    drop(transaction);
    let key = issuer.signing_key(service.parts.vault.as_ref(), scope).await?;
    for (approved, place) in process.approved.iter().zip(places) {
        credentials.push(issue((service, scope), &process, approved, place, &key).await?);
    }
    let next = IssuanceProcess {
        credentials: credentials.iter().map(|credential| credential.id.clone()).collect(),
        ..process.value().clone()
    };
    let lists = sign_new_lists((service, scope), &allocation, &key).await?;

    let mut transaction = store.begin(scope);
    transaction.save(&process, &next);
    allocation.store(&mut transaction);
    for (record, list) in allocation.opened().zip(&lists) {
        status_list::publish(&mut transaction, record, list);
    }
    credentials.iter().for_each(|credential| transaction.insert(credential));
    transaction.commit().await?;
    Ok(Some(Ready { issuer, process: next, credentials }))
}

async fn sign_new_lists(
    (service, scope): (&IssuerService, &ParticipantScope),
    allocation: &Allocation,
    key: &SigningKey,
) -> Result<Vec<PublishedList>, SigningError> {
    let (parts, mut lists) = (&service.parts, Vec::new());
    for record in allocation.opened() {
        let signer = (key, parts.public_url.as_str());
        let list =
            status_list::signed(record, signer, (parts.vault.as_ref(), scope), parts.environment.now());
        lists.push(list.await?);
    }
    Ok(lists)
}

const fn kind_of(format: Format) -> Kind {
    match format {
        Format::Vc11Sl2021Jwt => Kind::StatusList2021,
        Format::Vc20BsslJwt => Kind::Bitstring,
    }
}

async fn issue(
    (service, scope): (&IssuerService, &ParticipantScope),
    process: &IssuanceProcess,
    approved: &Approved,
    place: StatusPlace,
    key: &SigningKey,
) -> Result<IssuedCredential, SigningError> {
    let parts = &service.parts;
    let (now, (ms, random)) = (parts.environment.now(), parts.environment.id_parts());
    let id = CredentialId::from_parts(ms, random);
    let kind = StatusKind::from(kind_of(approved.format));
    let list_url = status_list::list_url(&parts.public_url, &place.list);
    let draft = CredentialDraft {
        id: credential::uri(&id),
        contexts: std::iter::once(kind.context().to_owned())
            .chain(approved.additional_context.clone())
            .collect(),
        types: vec![approved.credential_type.clone()],
        issuer: key.did.to_string(),
        subject: process.holder_did.to_string(),
        claims: approved.subject.clone(),
        issued_at: now,
        valid_until: now + approved.validity,
        status: Some(StatusEntry {
            id: None,
            kind,
            purpose: StatusPurpose::Revocation,
            index: place.index,
            list_url,
        }),
        schema: None,
    };
    let unsigned = vc11::unsigned(&draft, &key.kid, key.algorithm)?;
    Ok(IssuedCredential {
        id,
        process: process.id.clone(),
        definition: approved.definition.clone(),
        holder_id: process.holder_id.clone(),
        holder_did: process.holder_did.clone(),
        credential_type: approved.credential_type.clone(),
        format: approved.format,
        token: key.sign(parts.vault.as_ref(), scope, unsigned).await?,
        status: place,
        state: credential::State::Issued,
        issued_at: now,
        valid_until: draft.valid_until,
        revoked_at: None,
    })
}
