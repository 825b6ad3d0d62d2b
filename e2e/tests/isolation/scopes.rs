//! The closed list of scopes, each with the routes that mint it. A scope of which no route here is left, and one that the
//! list lacks, fails the test.

use std::collections::BTreeSet;

use heddle_web::testing::Route;

use crate::surfaces::{Surface, of};

/// A scope, and beginnings and ends of the templates whose requests mint it.
const MINTED: [(&str, Surface, &str, &str); 11] = [
    ("ParticipantScope", Surface::Administration, "/api/mgmt/v5beta/participants/{context}/", ""),
    ("CatalogPeer", Surface::Dataspace, "/api/dsp/{context}/{profile}/catalog/", ""),
    ("NegotiationPeer", Surface::Dataspace, "/api/dsp/{context}/{profile}/negotiations/", ""),
    ("TransferPeer", Surface::Dataspace, "/api/dsp/{context}/{profile}/transfers/", ""),
    ("DeliveryPeer", Surface::Claims, "/api/credentials/v1/participants/{context}/", "/credentials"),
    ("IssuancePeer", Surface::Claims, "/api/issuance/v1beta/participants/{context}/", ""),
    (
        "PresentationGrant",
        Surface::Claims,
        "/api/credentials/v1/participants/{context}/",
        "/presentations/query",
    ),
    ("DataPlaneScope", Surface::Signaling, "/api/signaling/{context}/", ""),
    ("FlowPermit", Surface::Data, "/public/", ""),
    ("TenantScope", Surface::Administration, "/api/tm/v1alpha1/tenants/{tenant}", ""),
    ("OperatorScope", Surface::Administration, "/api/tm/v1alpha1/cells", ""),
];
/// The one that nobody needs to be authenticated for: what it reads is public.
const DIRECTORY: (&str, Surface, &str, &str) = ("Directory", Surface::Public, "/statuslist/{id}", "");

/// The scopes that there are, as the crate that closes the list exports them.
fn exported() -> BTreeSet<&'static str> {
    let text = include_str!("../../../crates/platform/tenancy/src/lib.rs");
    let (_, list) = text.split_once("pub use scopes::{").expect("the scopes are exported together");
    let (list, _) = list.split_once('}').expect("the list ends");
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// Every scope has routes, and the seven go through each of them.
pub fn every_scope_has_its_case(routes: &[Route]) {
    let minted: Vec<_> = MINTED.into_iter().chain([DIRECTORY]).collect();
    let named: BTreeSet<&str> = minted.iter().map(|(name, ..)| *name).collect();
    assert_eq!(named, exported(), "the list of scopes is closed: a new one needs its case in scopes.rs");
    for (name, surface, begins, ends) in minted {
        let minting = routes.iter().filter(|route| {
            of(route) == surface && route.template.starts_with(begins) && route.template.ends_with(ends)
        });
        assert!(minting.count() > 0, "no route mints {name} any more");
    }
}
