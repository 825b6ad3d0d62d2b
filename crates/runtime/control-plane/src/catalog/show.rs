//! Catalog requests of peers: prove who it is, then show what it may see.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_dsp::{
    catalog::{Listing, Page, Position, dataset, page},
    wire::{AccessService, Catalog, DataService, Distribution, Is, NestedCatalog, RootDataset},
};
use heddle_store::{Order, Query, StoreError, Transaction};
use heddle_tenancy::Actor;

use super::{
    Wanted,
    offering::{self, Offering},
    paging::{Paged, Pager},
};
use crate::{
    ControlPlane,
    identity::Proven,
    model::Asset,
    negotiation::ProtocolError,
    parts::Addressed,
    telling::{self, About},
    trace::Direction,
};

/// What the log calls the request for one dataset, which has no body.
const DATASET_REQUEST: &str = "dataset request";
/// Assets that are looked at in one go.
const BATCH_ROWS: u32 = 1000;

/// A page of a catalog, and where those beside it are.
#[derive(Debug)]
pub(crate) struct CatalogPage {
    pub(crate) catalog: Catalog,
    pub(crate) next: Option<Position>,
    pub(crate) previous: Option<Position>,
}

/// What stands in a catalog.
enum Entry {
    Dataset(Box<Listing>),
    Catalog(Box<NestedCatalog>),
}

impl ControlPlane {
    /// The catalog of `addressed`, as whoever sent `authorization` may see it.
    pub(crate) async fn show_catalog(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        wanted: &Wanted,
    ) -> Result<CatalogPage, ProtocolError> {
        let proven = self.prove_for_catalog(addressed, authorization, None).await?;
        telling::message(&About::peer(proven.peer.id()), Direction::Received, "CatalogRequestMessage");
        let scope = self.scopes.catalog_peer(&proven.peer);
        let functions = self.rules.functions().await?;
        let mut transaction = self.store.begin(&scope);
        let now = transaction.now();
        let offering = Offering::of(&mut transaction, &proven.peer, &functions, now).await?;
        let Paged { items, next, previous } = select(&mut transaction, &offering, wanted).await?;
        let (mut listings, mut catalogs) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                Entry::Dataset(listing) => listings.push(*listing),
                Entry::Catalog(catalog) => catalogs.push(*catalog),
            }
        }
        let (mut catalog, incomplete) = page(&self.page(addressed), listings);
        for reason in incomplete {
            tracing::warn!(component = "catalog", %reason, "an asset is left out of the catalog");
        }
        catalog.catalog = catalogs;
        Ok(CatalogPage { catalog, next, previous })
    }

    /// One dataset. That it does not exist and that the peer may not see it are the same.
    pub(crate) async fn show_dataset(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        id: &str,
    ) -> Result<RootDataset, ProtocolError> {
        let proven = self.prove_for_catalog(addressed, authorization, Some(id)).await?;
        telling::message(&About::peer(proven.peer.id()), Direction::Received, DATASET_REQUEST);
        let scope = self.scopes.catalog_peer(&proven.peer);
        let functions = self.rules.functions().await?;
        let mut transaction = self.store.begin(&scope);
        let now = transaction.now();
        let asset = transaction.load::<Asset>(id).await?.ok_or(ProtocolError::NotFound)?;
        let offering = Offering::of(&mut transaction, &proven.peer, &functions, now).await?;
        let listing = offering.listing(&asset).ok_or(ProtocolError::NotFound)?;
        let dataset = dataset(&self.page(addressed), listing).map_err(|_| ProtocolError::NotFound)?;
        Ok(dataset.into())
    }

    fn page(&self, addressed: &Addressed) -> Page {
        let address = self.protocol_address(addressed.recipient.context(), &addressed.profile.name);
        Page {
            catalog_id: format!("{address}/catalog"),
            participant: addressed.recipient.identity().clone(),
            service_id: address.clone(),
            endpoint_url: address,
        }
    }

    /// Proves the peer. Which credentials it is asked for depends on the access policies, before anything is known
    /// about it.
    async fn prove_for_catalog(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        subject: Option<&str>,
    ) -> Result<Proven, ProtocolError> {
        let own =
            self.scopes.participant(addressed.recipient.context().clone(), Actor::new("identity service"));
        let operands = offering::left_operands(&mut self.store.begin(&own)).await?;
        match self.identity.verify_leniently(addressed, authorization, &operands).await {
            Ok(proven) => Ok(proven),
            Err(unproven) => {
                self.deny_unproven(addressed, ("catalog", subject), &unproven).await?;
                Err(unproven.into())
            }
        }
    }
}

/// The page of what is offered.
async fn select(
    transaction: &mut Transaction<'_>,
    offering: &Offering,
    wanted: &Wanted,
) -> Result<Paged<Entry>, StoreError> {
    let mut pager = Pager::new(wanted);
    let mut query = Query { order: Order::Id, limit: BATCH_ROWS, ..Query::default() };
    // Nothing is looked at for a peer to whom nothing is open.
    while !offering.is_empty() {
        let assets = transaction.list::<Asset>(&query).await?;
        let takes_all = wanted.filter.is_everything();
        let takes = |asset: &&_| takes_all || wanted.filter.takes(Asset::public_properties(asset).rows());
        for asset in assets.iter().filter(|asset| takes(&&***asset)) {
            if let Some(listing) = offering.listing(asset) {
                pager.offer(&asset.id, || entry(asset, listing));
            }
        }
        if assets.len() < BATCH_ROWS as usize || pager.is_full() {
            break;
        }
        query.after = assets.last().map(|last| query.place_of(last));
    }
    Ok(pager.finish())
}

fn entry(asset: &Asset, listing: Listing) -> Entry {
    match nested(asset) {
        Some(catalog) if asset.is_catalog => Entry::Catalog(Box::new(catalog)),
        _ => Entry::Dataset(Box::new(listing)),
    }
}

/// An asset that stands for a catalog elsewhere.
fn nested(asset: &Asset) -> Option<NestedCatalog> {
    let service = DataService {
        id: URL_SAFE_NO_PAD.encode(asset.id.as_str()),
        kind: Is::new(),
        endpoint_url: asset.properties.get("endpointURL")?.as_str()?.to_owned(),
    };
    let distribution = Distribution {
        kind: Is::new(),
        format: asset.properties.get("format")?.as_str()?.to_owned(),
        access_service: AccessService::Service(service.clone()),
        has_policy: Vec::new(),
    };
    Some(NestedCatalog {
        id: asset.id.to_string(),
        kind: Is::new(),
        participant_id: None,
        service: vec![service],
        dataset: Vec::new(),
        catalog: Vec::new(),
        distribution: vec![distribution],
    })
}
