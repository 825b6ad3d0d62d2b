//! Isolation, route by route: every route that the router of a running server has, as each of seven who may not.
//!
//! The routes come from the router (`heddle_web::testing`), so none can be forgotten; by which rules each says no, and
//! which are open to everybody and why, is said in [`surfaces`]. Nothing that is refused may differ by what exists, or
//! change anything.

mod administration;
mod asking;
mod bodies;
mod cases;
mod clock;
mod commits;
mod forging;
mod golden;
mod idp;
mod peers;
mod places;
mod planes;
mod scopes;
mod surfaces;
mod world;

use std::collections::BTreeSet;

use asking::{ask, assert_none};
use heddle_web::testing::Route;
use surfaces::{PUBLIC, PUBLIC_VERSION, Surface};
use world::{House, World};

/// Fewer than there were when this was written: then routes are missing from the list, not from the product.
const ROUTES_MIN: usize = 600;

async fn nothing_changes_in(world: &World, what: &str, refusals: impl Future<Output = Vec<String>>) {
    world.house.journal.begin();
    let found = refusals.await;
    let commits = world.house.journal.told();
    assert_none(what, &found);
    assert_none(&format!("{what}: commits"), &commits);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_all_who_may_not_and_tells_and_changes_nothing() {
    let world = World::found().await;
    let routes = world.house.routes();
    assert!(routes.len() >= ROUTES_MIN, "{} routes", routes.len());
    let before = world.counted().await;
    peers::whoever_may_is_welcome(&world).await;
    planes::data_flows(&world).await;
    administration::lists_show_ones_own(&world).await;
    nothing_changes_in(&world, "administration", Box::pin(administration::refusals(&world, &routes))).await;
    nothing_changes_in(&world, "signaling", Box::pin(planes::signal_refusals(&world, &routes))).await;
    nothing_changes_in(&world, "data", Box::pin(planes::data_refusals(&world, &routes))).await;
    // A peer that proves who it is leaves that its token is used, and a denial that the owner reads.
    assert_none("dataspace", &peers::dataspace_refusals(&world, &routes).await);
    assert_none("claims", &peers::claims_refusals(&world, &routes).await);
    assert_eq!(world.counted().await, before);
    world.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_call_which_route_is_the_golden_table() {
    let house = House::open("").await;
    golden::compare(&house).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn public_routes_are_those_that_were_reviewed_and_every_scope_has_its_case() {
    let house = House::open("").await;
    let routes = house.routes();
    scopes::every_scope_has_its_case(&routes);
    let public: BTreeSet<&str> =
        PUBLIC.iter().chain([&PUBLIC_VERSION]).map(|(template, _)| *template).collect();
    let open = |route: &&Route| surfaces::of(route) == Surface::Public;
    let there: BTreeSet<&str> = routes.iter().filter(open).map(|route| route.template.as_str()).collect();
    assert_eq!(there, public, "what is listed as public is there");
    for route in routes.iter().filter(open) {
        let path = route.template.replace("{context}", "a").replace("{id}", "b").replace("{definition}", "c");
        let seen = ask(&route.method, &format!("{}{path}", house.running.url()), None, None).await;
        let proves_itself = matches!(route.template.as_str(), "/oauth/token" | "/api/sts/token");
        // Without a client and its secret the token services give nothing.
        let right =
            if proves_itself { matches!(seen.status, 400 | 401) } else { !matches!(seen.status, 401 | 403) };
        assert!(right, "{} {}: {seen:?}", route.method, route.template);
    }
    house.close().await;
}
