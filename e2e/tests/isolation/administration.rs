//! The Administration APIs: 401 and 403 from the token and the path alone, the same whatever exists.

use std::collections::BTreeMap;

use heddle::home::Credentials;
use heddle_e2e::{Seen, Server, answer_to};
use heddle_outbound::Request;
use heddle_web::testing::Route;
use serde_json::{Value, json};

use crate::{
    asking::{ask, complaints},
    cases::Case,
    forging,
    places::Leads,
    surfaces::{Surface, canonical, of},
    world::World,
};

/// The APIs whose scopes there are.
pub const APIS: [&str; 8] = [
    "management-api",
    "identity-api",
    "issuer-admin-api",
    "data-plane-api",
    "catalog-api",
    "tenant-manager-api",
    "provision-manager-api",
    "signaling",
];

/// Every scope of this level.
pub fn scopes(level: &str) -> String {
    APIS.map(|api| format!("{api}:{level}")).join(" ")
}

/// Lists in which a tenant sees itself alone: they are not refused.
const SHOW_ONES_OWN: [&str; 2] = ["/api/tm/v1alpha1/tenants", "/api/tm/v1alpha1/events"];

/// A token of the token service of another installation, for its operator.
async fn of_another_installation() -> String {
    let server = Server::start("").await;
    let Credentials { url, client_id, client_secret } = server.credentials();
    let request = Request::post(format!("{}/oauth/token", url.trim_end_matches('/'))).form(&[
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", client_secret),
    ]);
    let token = answer_to(request).await.body["access_token"].as_str().expect("a token").to_owned();
    server.stop().await;
    token
}

/// What each of the seven shows.
pub struct Tokens {
    by_case: BTreeMap<Case, String>,
    of_another_tenant: String,
}

impl Tokens {
    /// All of them would open everything if one thing were not wrong with them.
    pub async fn mint(world: &World) -> Self {
        let idp = &world.house.idp;
        let admin = json!({"role": "admin", "scope": scopes("admin") + " " + &scopes("write")});
        let with = |name: &str, value: &str| {
            let mut claims = admin.clone();
            claims[name] = json!(value);
            claims
        };
        let everything = scopes("admin") + " " + &scopes("write");
        let other = json!({
            "role": "participant", "participant_context_id": world.consumer.organisation.context,
            "scope": everything,
        });
        let tenant = json!({"tenant_id": "another-tenant", "scope": everything});
        let good = idp.token(&admin);
        let by_case = BTreeMap::from([
            (Case::Stranger, of_another_installation().await),
            (Case::OtherTenant, idp.token(&other)),
            (Case::WrongAudience, idp.token(&with("aud", "somebody-else"))),
            (Case::Expired, idp.expired(&admin)),
            (Case::Unsigned, forging::unsigned(&good)),
            (Case::WrongKey, forging::signed_by_another(&good)),
        ]);
        Self { by_case, of_another_tenant: idp.token(&tenant) }
    }

    /// The token; nobody has none.
    pub fn of(&self, case: Case, template: &str) -> Option<&str> {
        let management = ["/api/tm/", "/api/pm/"].iter().any(|plane| template.starts_with(plane));
        match case {
            Case::OtherTenant if management => Some(&self.of_another_tenant),
            case => self.by_case.get(&case).map(String::as_str),
        }
    }
}

fn expected(case: Case) -> u16 {
    if case == Case::OtherTenant { 403 } else { 401 }
}

/// Asks one route as one of the seven, in every way that might make a difference.
async fn check(world: &World, tokens: &Tokens, route: &Route, case: Case) -> Vec<String> {
    let Route { template, method } = route;
    let base = world.house.running.url();
    let token = tokens.of(case, template);
    let own_alone = case == Case::OtherTenant && SHOW_ONES_OWN.contains(&template.as_str());
    if own_alone && matches!(method.as_str(), "GET" | "HEAD") {
        return Vec::new();
    }
    let empty = json!({});
    let mut ways: Vec<(Leads, Option<&Value>)> = vec![(Leads::Somewhere, None), (Leads::Nowhere, None)];
    if canonical(template) == *template {
        ways.push((Leads::Beside, None));
        if !matches!(method.as_str(), "GET" | "HEAD") {
            ways.push((Leads::Somewhere, Some(&empty)));
        }
    }
    let mut first: Option<Seen> = None;
    let mut found = Vec::new();
    for (leads, body) in ways {
        let url = format!("{base}{}", world.places.path(template, leads));
        let seen = ask(method, &url, token, body).await;
        let how =
            format!("{method} {template} as {case:?} to {leads:?}, {} body", body.map_or("no", |_| "a"));
        if seen.status != expected(case) {
            found.push(format!("{how}: {} {}", seen.status, seen.body));
        }
        match &first {
            Some(first) if *first != seen => found.push(format!("{how}: {seen:?} and not {first:?}")),
            Some(_) => {}
            None => first = Some(seen),
        }
    }
    found
}

/// Every route as each of the seven.
pub async fn refusals(world: &World, routes: &[Route]) -> Vec<String> {
    let tokens = Tokens::mint(world).await;
    let ours: Vec<&Route> = routes.iter().filter(|route| of(route) == Surface::Administration).collect();
    let tokens = &tokens;
    complaints(
        ours.iter()
            .flat_map(|route| Case::ALL.into_iter().map(move |case| check(world, tokens, route, case))),
    )
    .await
}

/// A tenant that may list sees itself alone: here, nothing.
pub async fn lists_show_ones_own(world: &World) {
    let tokens = Tokens::mint(world).await;
    let path = SHOW_ONES_OWN[0];
    let token = tokens.of(Case::OtherTenant, path).expect("a token");
    let request = Request::get(format!("{}{path}", world.house.running.url()));
    let shown = answer_to(request.authorization(heddle_outbound::Authorization::bearer(token))).await;
    assert_eq!((shown.status, &shown.body), (200, &json!([])), "a tenant that does not exist sees nobody");
}
