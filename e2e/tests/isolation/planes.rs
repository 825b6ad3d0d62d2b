//! Data planes and control planes that speak to one another, and whoever fetches data.

use heddle_e2e::Fetched;
use heddle_web::testing::Route;
use serde_json::{Value, json};

use crate::{
    administration::Tokens,
    asking::{ask, complaints},
    cases::Case,
    places::Leads,
    surfaces::{Surface, of},
    world::World,
};

/// A message of a plane that is right for every signal.
fn message() -> Value {
    json!({"messageId": "m", "dataFlowId": "f", "state": "STARTED", "reason": "isolation"})
}

/// The statuses of a refusal. A plane that is not registered, or whose flow it is not, is answered as if there were none.
fn expected(case: Case) -> &'static [u16] {
    match case {
        Case::OtherTenant => &[401, 403, 404],
        _ => &[401],
    }
}

async fn signals(world: &World, route: &Route, (case, token): (Case, Option<&str>)) -> Vec<String> {
    let Route { template, method } = route;
    let base = world.house.running.url();
    let message = message();
    let mut found = Vec::new();
    let mut answers = Vec::new();
    for (leads, body) in
        [(Leads::Somewhere, Some(&message)), (Leads::Beside, Some(&message)), (Leads::Somewhere, None)]
    {
        let url = format!("{base}{}", world.places.path(template, leads));
        let body = body.filter(|_| !matches!(method.as_str(), "GET" | "HEAD"));
        let seen = ask(method, &url, token, body).await;
        let how =
            format!("{method} {template} as {case:?} to {leads:?}, {} body", body.map_or("no", |_| "a"));
        // Somebody who is known is told that the message is none, before it is looked for what it is about.
        let malformed = case == Case::OtherTenant && body.is_none() && seen.status == 400;
        if !expected(case).contains(&seen.status) && !malformed {
            found.push(format!("{how}: {} {}", seen.status, seen.body));
        }
        if !malformed {
            answers.push((how, seen));
        }
    }
    for (how, seen) in &answers[1..] {
        if *seen != answers[0].1 {
            found.push(format!("{how}: {seen:?} and not {:?}", answers[0].1));
        }
    }
    found
}

/// Every signal as each of the seven; another plane with a good token of its own is one more other tenant.
pub async fn signal_refusals(world: &World, routes: &[Route]) -> Vec<String> {
    let tokens = Tokens::mint(world).await;
    let another = world.house.idp.token(&json!({"sub": "another-plane", "scope": "signaling:write"}));
    let ours: Vec<&Route> = routes.iter().filter(|route| of(route) == Surface::Signaling).collect();
    let (tokens, another) = (&tokens, &another);
    complaints(ours.iter().flat_map(|route| {
        let cases = Case::ALL.into_iter().map(move |case| (case, tokens.of(case, &route.template)));
        let cases = cases.chain([(Case::OtherTenant, Some(another.as_str()))]);
        cases.map(move |case| signals(world, route, case))
    }))
    .await
}

/// Data as each of the seven, and as an administrator, whose token opens no flow either.
pub async fn data_refusals(world: &World, routes: &[Route]) -> Vec<String> {
    let tokens = Tokens::mint(world).await;
    let [_, another, ended] = &world.keys;
    let template = "/public/{flow}";
    let shown = |case| match case {
        Case::OtherTenant => Some(another.token.as_str()),
        Case::Expired => Some(ended.token.as_str()),
        case => tokens.of(case, template),
    };
    let base = world.house.running.url();
    let ours = routes.iter().filter(|route| of(route) == Surface::Data);
    let jwts = Case::ALL.into_iter().map(|case| (case, tokens.of(case, template)));
    let presented: Vec<_> = Case::ALL.into_iter().map(|case| (case, shown(case))).chain(jwts).collect();
    let (places, presented) = (&world.places, &presented);
    complaints(ours.map(|route| async move {
        let mut found = Vec::new();
        let mut first = None;
        for (case, token) in presented {
            for leads in [Leads::Somewhere, Leads::Nowhere] {
                let url = format!("{base}{}", places.path(&route.template, leads));
                let seen = ask(&route.method, &url, *token, None).await;
                if seen.status != 401 || *first.get_or_insert_with(|| seen.clone()) != seen {
                    found.push(format!("{} {template} as {case:?} to {leads:?}: {seen:?}", route.method));
                }
            }
        }
        found
    }))
    .await
}

/// The right token opens the flow, so the refusals were not for want of one.
pub async fn data_flows(world: &World) {
    let fetched = world.keys[0].fetch().await;
    assert!(matches!(fetched, Fetched::Bytes(_)), "{fetched:?}");
}
