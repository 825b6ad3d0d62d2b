//! Whether a provider agrees to a request: does the offer exist for this consumer, and on which terms?
//!
//! A refusal is for the trace of the owner. The peer is told the same as for an offer that does not exist.

use heddle_dsp::catalog::OfferName;
use heddle_ids::OfferId;
use heddle_odrl::{Evaluation, Functions, Policy, PolicyScope, equivalent};
use heddle_store::{StoreError, Transaction};
use heddle_tenancy::VerifiedPeer;

use crate::{
    model::{Asset, ContractDefinition, PolicyDefinition},
    rules::{Agent, Subject, decide},
};

/// The outcome, with the evaluations that led to it.
pub(super) struct Decision {
    /// The provider's own terms for the offer, or why there are none for this consumer.
    pub(super) terms: Result<Policy, String>,
    /// Name of the policy and its evaluation, in order.
    pub(super) evaluations: Vec<(&'static str, Evaluation)>,
}

impl Decision {
    fn refused(reason: impl Into<String>) -> Self {
        Self { terms: Err(reason.into()), evaluations: Vec::new() }
    }
}

/// What an offer id leads to.
pub(super) struct Offering {
    definition: ContractDefinition,
    asset: Asset,
    access: PolicyDefinition,
    contract: PolicyDefinition,
}

/// Loads what an offer id names. An offer of which a part is missing does not exist.
pub(super) async fn load(
    transaction: &mut Transaction<'_>,
    offer: &OfferId,
) -> Result<Option<Offering>, StoreError> {
    for name in [OfferName::parse(offer), OfferName::parse_plain(offer)].into_iter().flatten() {
        let Some(definition) = transaction.load::<ContractDefinition>(name.definition.as_str()).await? else {
            continue;
        };
        let definition = definition.into_value();
        let asset = transaction.load::<Asset>(name.asset.as_str()).await?;
        let access = transaction.load::<PolicyDefinition>(definition.access_policy.as_str()).await?;
        let contract = transaction.load::<PolicyDefinition>(definition.contract_policy.as_str()).await?;
        if let (Some(asset), Some(access), Some(contract)) = (asset, access, contract) {
            let (asset, access, contract) = (asset.into_value(), access.into_value(), contract.into_value());
            return Ok(Some(Offering { definition, asset, access, contract }));
        }
    }
    Ok(None)
}

impl Offering {
    /// The left operands that both policies speak of.
    pub(super) fn left_operands(&self) -> Vec<String> {
        let operands = self.access.policy.left_operands().into_iter();
        operands.chain(self.contract.policy.left_operands()).map(Into::into).collect()
    }
}

/// Decides about a request for `requested` by a verified peer.
pub(super) fn consider(
    offering: Option<Offering>,
    requested: &Policy,
    peer: &VerifiedPeer,
    functions: &Functions,
    now: heddle_clock::Timestamp,
) -> Decision {
    let Some(offering) = offering else { return Decision::refused("there is no such offer") };
    if requested.target.as_deref() != Some(offering.asset.id.as_str()) {
        return Decision::refused("the offer is for another dataset than its target");
    }
    if !offering.definition.selects(&offering.asset) {
        return Decision::refused("the contract definition does not select the asset");
    }
    let attributes = serde_json::Map::new();
    let agent = Agent { id: peer.id().as_str(), attributes: &attributes, claims: peer.claims() };
    let subject = Subject { agent, agreement: None };
    let mut evaluations = Vec::new();
    for (name, policy, scope) in [
        ("access", &offering.access.policy, PolicyScope::Catalog),
        ("contract", &offering.contract.policy, PolicyScope::ContractNegotiation),
    ] {
        let evaluation = decide(policy, scope, &subject, now, functions);
        let permitted = evaluation.is_permitted();
        let reasons = evaluation.reasons().join("; ");
        evaluations.push((name, evaluation));
        if !permitted {
            let reason = format!("the {name} policy does not permit it: {reasons}");
            return Decision { terms: Err(reason), evaluations };
        }
    }
    let terms = offering
        .contract
        .policy
        .to_offer(requested.id.as_deref().unwrap_or_default(), requested.target.clone());
    // A peer may name itself and us in what it requests; terms are compared, parties are not.
    let asked = Policy { assigner: None, assignee: None, ..requested.clone() };
    if !equivalent(&terms, &asked) {
        return Decision {
            terms: Err("the requested terms are not those of the offer".to_owned()),
            evaluations,
        };
    }
    Decision { terms: Ok(terms), evaluations }
}
