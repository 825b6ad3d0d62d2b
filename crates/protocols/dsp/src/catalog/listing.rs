//! From what is offered to what the wire says.

use heddle_ids::{AssetId, OfferId, ParticipantId};
use heddle_odrl::{InvalidPolicy, Policy};
use serde_json::{Map, Value};

use crate::wire::{AccessService, Catalog, Context, DataService, Dataset, Distribution, Is};

/// One offer of an asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Offered {
    /// Its `@id`; see [`super::OfferName`].
    pub id: OfferId,
    /// The contract policy of the definition, of any kind and with any target.
    pub policy: Policy,
}

/// One asset as one consumer may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The asset; the dataset has the same id.
    pub asset: AssetId,
    /// Its public properties. Members that a dataset has of its own (`@id`, `hasPolicy` …) are left out.
    pub properties: Map<String, Value>,
    /// Its offers.
    pub offers: Vec<Offered>,
    /// The formats that a data plane can serve it in.
    pub formats: Vec<String>,
}

/// What a page of a catalog has besides its datasets.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// `@id` of the catalog; the same for every page.
    pub catalog_id: String,
    /// Whose catalog it is.
    pub participant: ParticipantId,
    /// `@id` of the data service.
    pub service_id: String,
    /// The base URL to negotiate at: the one through which the catalog is served.
    pub endpoint_url: String,
}

/// Why an asset cannot stand in a catalog. It is to be left out, and its owner told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// Nobody offers it.
    #[error("the asset '{0}' has no offer for this consumer")]
    NoOffer(AssetId),
    /// It cannot be had.
    #[error("the asset '{0}' has no format that a data plane serves; register a data plane for it")]
    NoFormat(AssetId),
    /// A policy cannot be offered.
    #[error("the asset '{asset}' has an offer whose policy cannot be offered: {invalid}")]
    Policy {
        /// The asset.
        asset: AssetId,
        /// Why.
        #[source]
        invalid: InvalidPolicy,
    },
}

/// A page of a catalog (DSP 2025-1 §"ACK - Catalog"), and the assets that could not stand in it.
#[must_use]
pub fn page(page: &Page, listings: Vec<Listing>) -> (Catalog, Vec<Incomplete>) {
    let mut datasets = Vec::with_capacity(listings.len());
    let mut incomplete = Vec::new();
    for listing in listings {
        match dataset(page, listing) {
            Ok(dataset) => datasets.push(dataset),
            Err(reason) => incomplete.push(reason),
        }
    }
    let catalog = Catalog {
        context: Context,
        id: page.catalog_id.clone(),
        kind: Is::new(),
        participant_id: page.participant.clone(),
        service: vec![page.service()],
        dataset: datasets,
        catalog: Vec::new(),
        distribution: Vec::new(),
    };
    (catalog, incomplete)
}

/// One dataset; inside a catalog as it is, alone as [`crate::wire::RootDataset`].
pub fn dataset(page: &Page, listing: Listing) -> Result<Dataset, Incomplete> {
    let Listing { asset, mut properties, offers, formats } = listing;
    if offers.is_empty() {
        return Err(Incomplete::NoOffer(asset));
    }
    if formats.is_empty() {
        return Err(Incomplete::NoFormat(asset));
    }
    let mut has_policy = Vec::with_capacity(offers.len());
    for Offered { id, policy } in offers {
        // The target of a catalog's offer is the dataset around it, and the schema forbids to repeat it.
        let offer = policy.to_offer(id.as_str(), None);
        offer.validate().map_err(|invalid| Incomplete::Policy { asset: asset.clone(), invalid })?;
        has_policy.push(offer);
    }
    let distribution = formats
        .into_iter()
        .map(|format| Distribution {
            kind: Is::new(),
            format,
            access_service: AccessService::Service(page.service()),
            has_policy: Vec::new(),
        })
        .collect();
    for own in ["@context", "@id", "@type", "hasPolicy", "distribution"] {
        properties.remove(own);
    }
    Ok(Dataset { id: asset, kind: Is::new(), has_policy, distribution, properties })
}

impl Page {
    fn service(&self) -> DataService {
        DataService { id: self.service_id.clone(), kind: Is::new(), endpoint_url: self.endpoint_url.clone() }
    }
}
