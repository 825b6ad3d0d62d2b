//! What an issuer offers, published for everybody (DCP 1.0 §6.7) in the commit that changes a definition.

use heddle_dcp::wire::{CredentialObject, IssuerMetadata, LIST_ENTRIES_MAX};
use heddle_ids::ParticipantContextId;
use heddle_store::{Aggregate, DirectoryRow, Loaded, StoreError, Transaction};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::CredentialDefinition;
use crate::{endpoints::SEGMENT, issuer::Issuer};

/// Directory kind: participant context id → the issuer's metadata.
pub(crate) const ISSUER_METADATA: &str = "issuer-metadata";
/// Directory kind: participant context id and definition → the schema of its credentials' subject.
pub(crate) const CREDENTIAL_SCHEMA: &str = "credential-schema";

/// An issuer has as many definitions as its metadata can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an issuer has at most {LIST_ENTRIES_MAX} credential definitions; delete one first")]
pub(crate) struct Full;

/// The aggregate behind the published metadata. Every change of a definition goes through it, so that of two
/// changes at the same moment neither is lost from what is published.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Offering {
    objects: Vec<CredentialObject>,
}

impl Aggregate for Offering {
    const KIND: &'static str = "issuer-offering";

    fn id(&self) -> &str {
        "metadata"
    }
}

/// Puts a definition among what is offered, in place of an earlier form of it.
pub(crate) async fn offer(
    transaction: &mut Transaction<'_>,
    issuer: &Issuer,
    public_url: &str,
    definition: &CredentialDefinition,
) -> Result<Result<(), Full>, StoreError> {
    let object = object_of(issuer, public_url, definition);
    let loaded = transaction.load::<Offering>("metadata").await?;
    let mut next = loaded.as_ref().map(|loaded| loaded.value().clone()).unwrap_or_default();
    match next.objects.iter().position(|known| known.id == object.id) {
        Some(known) => next.objects[known] = object,
        None if next.objects.len() >= LIST_ENTRIES_MAX => return Ok(Err(Full)),
        None => next.objects.push(object),
    }
    publish(transaction, issuer, loaded.as_ref(), &next);
    let key = schema_key(issuer.recipient.context(), definition);
    match &definition.json_schema {
        Some(text) if definition.json_schema_url.is_none() => {
            let schema: Value = serde_json::from_str(text).unwrap_or_else(|_| Value::Object(Map::new()));
            transaction.publish(DirectoryRow::new(CREDENTIAL_SCHEMA, key, &schema));
        }
        _ => transaction.withdraw(CREDENTIAL_SCHEMA, key),
    }
    Ok(Ok(()))
}

/// Takes a definition out of what is offered.
pub(crate) async fn withdraw(
    transaction: &mut Transaction<'_>,
    issuer: &Issuer,
    definition: &CredentialDefinition,
) -> Result<(), StoreError> {
    let loaded = transaction.load::<Offering>("metadata").await?;
    let mut next = loaded.as_ref().map(|loaded| loaded.value().clone()).unwrap_or_default();
    next.objects.retain(|object| object.id != definition.id.as_str());
    publish(transaction, issuer, loaded.as_ref(), &next);
    conceal_schema(transaction, issuer.recipient.context(), definition);
    Ok(())
}

/// Nobody sees any more what an issuer offers.
pub(crate) fn conceal(transaction: &mut Transaction<'_>, issuer: &ParticipantContextId) {
    transaction.withdraw(ISSUER_METADATA, issuer.as_str());
}

/// Nobody sees the schema of a definition any more.
pub(crate) fn conceal_schema(
    transaction: &mut Transaction<'_>,
    issuer: &ParticipantContextId,
    definition: &CredentialDefinition,
) {
    transaction.withdraw(CREDENTIAL_SCHEMA, schema_key(issuer, definition));
}

/// Takes away the published metadata, which may have been published anew since it was concealed, and what is behind it;
/// how many rows there were.
pub(crate) async fn drop_offering(
    transaction: &mut Transaction<'_>,
    issuer: &ParticipantContextId,
) -> Result<usize, StoreError> {
    let loaded = transaction.load::<Offering>("metadata").await?;
    if let Some(loaded) = &loaded {
        transaction.delete(loaded);
        conceal(transaction, issuer);
    }
    Ok(usize::from(loaded.is_some()))
}

fn publish(
    transaction: &mut Transaction<'_>,
    issuer: &Issuer,
    loaded: Option<&Loaded<Offering>>,
    next: &Offering,
) {
    match loaded {
        Some(loaded) => transaction.save(loaded, next),
        None => transaction.insert(next),
    }
    let metadata = IssuerMetadata::new(issuer.did.as_str(), next.objects.clone());
    transaction.publish(DirectoryRow::new(ISSUER_METADATA, issuer.recipient.context().as_str(), &metadata));
}

/// The path of a definition's schema below the public URL; also the key of its row.
fn schema_key(issuer: &ParticipantContextId, definition: &CredentialDefinition) -> String {
    let segment = |text| utf8_percent_encode(text, SEGMENT);
    format!("{}/schemas/{}", segment(issuer.as_str()), segment(definition.id.as_str()))
}

/// Every member is there: the published schema of the metadata demands what the text leaves optional.
fn object_of(issuer: &Issuer, public_url: &str, definition: &CredentialDefinition) -> CredentialObject {
    let ours = || {
        let key = schema_key(issuer.recipient.context(), definition);
        format!("{public_url}/api/issuance/v1beta/participants/{key}")
    };
    let policy =
        [("id", Value::from(definition.id.as_str())), ("input_descriptors", Value::Array(Vec::new()))];
    let mut object = CredentialObject::sparse(definition.id.as_str());
    object.credential_type = Some(definition.credential_type.clone());
    object.credential_schema = Some(definition.json_schema_url.clone().unwrap_or_else(ours));
    object.offer_reason = Some("reissue".to_owned());
    object.binding_methods = Some(vec!["did:web".to_owned()]);
    object.profile = Some(definition.format.alias().to_owned());
    object.issuance_policy = Some(policy.map(|(name, value)| (name.to_owned(), value)).into_iter().collect());
    object
}
