//! Who sees what: the definitions that are open to a peer, and their offers for an asset.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::Timestamp;
use heddle_dsp::catalog::{Listing, OfferName, Offered};
use heddle_ids::{OfferId, PolicyDefinitionId};
use heddle_odrl::{Functions, Policy, PolicyScope};
use heddle_store::{
    Aggregate, Loaded, Query, StoreError, Transaction,
    filter::{Filter, Property},
};
use heddle_tenancy::VerifiedPeer;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::{
    model::{Asset, ContractDefinition, DataPlane, PolicyDefinition},
    rules::{Agent, Subject, decide},
};

/// Bytes of a policy's digest that tell offers apart.
const DISCRIMINATOR_BYTES: usize = 9;

/// What one peer may see of a participant's offers.
pub(super) struct Offering {
    open: Vec<Open>,
    formats: Vec<String>,
}

/// A contract definition that is open to the peer.
struct Open {
    definition: ContractDefinition,
    selected: Filter,
    terms: Policy,
    discriminator: String,
}

/// The left operands of the access policies: they decide which credentials a peer is asked for.
pub(super) async fn left_operands(transaction: &mut Transaction<'_>) -> Result<Vec<String>, StoreError> {
    let (definitions, policies) = load(transaction).await?;
    let mut operands: Vec<String> = Vec::new();
    for definition in &definitions {
        let policy = policies.get(&definition.access_policy);
        operands.extend(policy.iter().flat_map(|policy| policy.left_operands()).map(str::to_owned));
    }
    operands.sort_unstable();
    operands.dedup();
    Ok(operands)
}

type Policies = HashMap<PolicyDefinitionId, Policy>;

/// The definitions, and the policies that they name as far as those exist.
async fn load(transaction: &mut Transaction<'_>) -> Result<(Vec<ContractDefinition>, Policies), StoreError> {
    let definitions = transaction.list::<ContractDefinition>(&Query::default()).await?;
    let definitions: Vec<_> = definitions.into_iter().map(Loaded::into_value).collect();
    let mut policies = Policies::new();
    for definition in &definitions {
        for id in [&definition.access_policy, &definition.contract_policy] {
            if !policies.contains_key(id)
                && let Some(policy) = transaction.load::<PolicyDefinition>(id.as_str()).await?
            {
                policies.insert(id.clone(), policy.into_value().policy);
            }
        }
    }
    Ok((definitions, policies))
}

impl Offering {
    /// What `peer` may see.
    pub(super) async fn of(
        transaction: &mut Transaction<'_>,
        peer: &VerifiedPeer,
        functions: &Functions,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (definitions, policies) = load(transaction).await?;
        let attributes = serde_json::Map::new();
        let agent = Agent { id: peer.id().as_str(), attributes: &attributes, claims: peer.claims() };
        let subject = Subject { agent, agreement: None };
        let mut permitted: HashMap<PolicyDefinitionId, bool> = HashMap::new();
        let mut open = Vec::new();
        for definition in definitions {
            let Some(access) = policies.get(&definition.access_policy) else { continue };
            let sees = *permitted.entry(definition.access_policy.clone()).or_insert_with(|| {
                decide(access, PolicyScope::Catalog, &subject, now, functions).is_permitted()
            });
            let terms = policies.get(&definition.contract_policy).filter(|_| sees);
            open.extend(terms.and_then(|terms| Open::new(definition, terms)));
        }
        let planes = transaction.list::<DataPlane>(&Query::default()).await?;
        let mut formats: Vec<String> =
            planes.into_iter().flat_map(|plane| plane.into_value().transfer_types).collect();
        formats.sort_unstable();
        formats.dedup();
        Ok(Self { open, formats })
    }

    /// Whether nothing at all is offered to the peer.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The asset as the peer may see it; `None` when it may not, or when nobody could serve it.
    pub(super) fn listing(&self, asset: &Asset) -> Option<Listing> {
        let properties = Aggregate::properties(asset).unwrap_or_default();
        let offers: Vec<Offered> =
            self.open.iter().filter_map(|open| open.offer(asset, properties.rows())).collect();
        let formats = self.formats(asset);
        if offers.is_empty() || (formats.is_empty() && !asset.is_catalog) {
            return None;
        }
        let mut properties = asset.properties.clone();
        properties.insert("id".to_owned(), Value::String(asset.id.to_string()));
        Some(Listing { asset: asset.id.clone(), properties, offers, formats })
    }

    /// The transfer types of the participant's data planes, narrowed to those of the asset.
    fn formats(&self, asset: &Asset) -> Vec<String> {
        let only = asset.dataplane_metadata.as_ref().map_or(&[][..], |metadata| &metadata.profiles);
        self.formats.iter().filter(|format| only.is_empty() || only.contains(format)).cloned().collect()
    }
}

impl Open {
    fn new(definition: ContractDefinition, terms: &Policy) -> Option<Self> {
        if let Err(invalid) = terms.to_offer("offer", None).validate() {
            tracing::warn!(
                component = "catalog",
                contract_definition_id = %definition.id,
                policy_id = %definition.contract_policy,
                reason = %invalid,
                "a contract policy cannot be offered"
            );
            return None;
        }
        let text = serde_json::to_vec(terms).expect("a policy serialises");
        let digest = digest(&SHA256, &text);
        let discriminator = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..DISCRIMINATOR_BYTES]);
        Some(Self { selected: definition.selected(), definition, terms: terms.clone(), discriminator })
    }

    fn offer(&self, asset: &Asset, properties: &[Property]) -> Option<Offered> {
        if !self.selected.matches(properties) {
            return None;
        }
        let name = OfferName {
            definition: self.definition.id.clone(),
            asset: asset.id.clone(),
            discriminator: self.discriminator.clone(),
        };
        // Ids that are too long together make no offer.
        let id: OfferId = name.to_id().ok()?;
        Some(Offered { id, policy: self.terms.clone() })
    }
}
