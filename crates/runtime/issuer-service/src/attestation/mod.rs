//! Attestations: where an issuer's knowledge about holders comes from. Nothing is issued without one.
//!
//! * `holder`: the properties that the holder was registered with.
//! * `record`: what the governance body has verified about a holder and written down ([`AttestationRecord`]).

mod record;

use heddle_clock::Timestamp;
use heddle_ids::AttestationId;
use heddle_store::{Aggregate, Loaded, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use record::{AttestationRecord, record_key};

use crate::holder::Holder;

/// Where the claims come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AttestationType {
    /// The holder's registration.
    Holder,
    /// A record of its own for each holder.
    Record,
}

/// The aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attestation {
    pub(crate) id: AttestationId,
    pub(crate) kind: AttestationType,
    /// Kept as it was given; neither type reads anything from it.
    #[serde(default)]
    pub(crate) configuration: Map<String, Value>,
    pub(crate) created_at: Timestamp,
}

impl Aggregate for Attestation {
    const KIND: &'static str = "attestation";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Why an attestation does not speak for a holder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unattested {
    /// The attestation was deleted.
    #[error("the attestation '{0}' does not exist any more")]
    Absent(AttestationId),
    /// Nothing is written down about this holder.
    #[error("the attestation '{0}' has no record of this holder")]
    NoRecord(AttestationId),
}

/// What one attestation says about a holder.
pub(crate) async fn claims_of(
    transaction: &mut Transaction<'_>,
    attestation: &AttestationId,
    holder: &Holder,
) -> Result<Result<Map<String, Value>, Unattested>, StoreError> {
    let Some(found) = transaction.load::<Attestation>(attestation.as_str()).await? else {
        return Ok(Err(Unattested::Absent(attestation.clone())));
    };
    Ok(match found.kind {
        AttestationType::Holder => Ok(holder.properties.clone()),
        AttestationType::Record => {
            let record = transaction.load::<AttestationRecord>(&record_key(attestation, &holder.id)).await?;
            record
                .map(|record: Loaded<AttestationRecord>| record.into_value().claims)
                .ok_or_else(|| Unattested::NoRecord(attestation.clone()))
        }
    })
}
