//! The signed list, as everybody reads it.

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_credentials::{
    StatusPurpose,
    status::{StatusListDraft, status_credential_unsigned},
};
use heddle_did::Did;
use heddle_ids::StatusListId;
use heddle_store::{DirectoryRow, NewJob, Transaction};
use heddle_tenancy::Scope;
use heddle_vault::Vault;
use serde::{Deserialize, Serialize};

use super::{RENEW, StatusListRecord, renewal::RenewList};
use crate::issuer::{SigningError, SigningKey};

/// Directory kind: status list id → [`PublishedList`].
pub(crate) const STATUS_LIST: &str = "status-list";
/// How long a signed list may be used, should nothing change in it.
const VALIDITY: Duration = Duration::from_secs(365 * 24 * 3600);

/// The row of kind [`STATUS_LIST`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PublishedList {
    pub(crate) issuer: Did,
    /// The status list credential, signed by its issuer.
    pub(crate) jwt: String,
}

/// Where a list is published.
pub(crate) fn list_url(public_url: &str, id: &StatusListId) -> String {
    format!("{public_url}/statuslist/{id}")
}

/// Signs a list as it is now.
pub(crate) async fn signed(
    record: &StatusListRecord,
    (key, public_url): (&SigningKey, &str),
    (vault, scope): (&dyn Vault, &dyn Scope),
    now: Timestamp,
) -> Result<PublishedList, SigningError> {
    let draft = StatusListDraft {
        url: list_url(public_url, &record.id),
        issuer: key.did.to_string(),
        kind: record.kind.into(),
        purpose: StatusPurpose::Revocation,
        issued_at: now,
        valid_until: now + VALIDITY,
    };
    let unsigned = status_credential_unsigned(&draft, &record.list()?, &key.kid, key.algorithm)?;
    Ok(PublishedList { issuer: key.did.clone(), jwt: key.sign(vault, scope, unsigned).await? })
}

/// Publishes a signed list, and has it signed again long before it expires.
pub(crate) fn publish(transaction: &mut Transaction<'_>, record: &StatusListRecord, list: &PublishedList) {
    transaction.publish(DirectoryRow::new(STATUS_LIST, record.id.as_str(), list));
    transaction.cancel_jobs(record.order_key());
    let renewal = NewJob::new(RENEW, record.order_key(), &RenewList { list: record.id.clone() });
    transaction.enqueue(renewal.due_at(transaction.now() + VALIDITY / 2));
}
