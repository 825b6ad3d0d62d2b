//! What peers see: on the Dataspace Protocol that there is nothing, on the Decentralized Claims Protocol that the token is
//! not valid here.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_e2e::{Party, Seen};
use heddle_web::testing::Route;
use serde_json::Value;

use crate::{
    asking::{ask, complaints},
    bodies,
    cases::Case,
    forging,
    places::{ABSENT, Leads},
    surfaces::{Surface, of},
    world::{World, membership},
};

/// Whom a surface is asked at, and who is entitled there.
struct Stage<'a> {
    world: &'a World,
    /// Whom tokens must be for.
    audience: &'a str,
    entitled: &'a Party,
    stranger: &'a Party,
    /// Proofs that are refused before they are recorded: one does for all requests.
    forged: BTreeMap<Case, String>,
    /// The consumer's access token, where it is stolen.
    access: Option<&'a str>,
}

impl Stage<'_> {
    async fn set<'a>(
        world: &'a World,
        (audience, entitled, stranger): (&'a str, &'a Party, &'a Party),
        access: Option<&'a str>,
    ) -> Stage<'a> {
        let good = mint(entitled, audience, access).await;
        let misdirected = mint(entitled, &world.fellow.organisation.did, access).await;
        let forged = BTreeMap::from([
            (Case::WrongAudience, misdirected),
            (Case::Expired, world.expired[audience].clone()),
            (Case::Unsigned, forging::unsigned(&good)),
            (Case::WrongKey, forging::signed_by_another(&good)),
        ]);
        Stage { world, audience, entitled, stranger, forged, access }
    }

    /// The proof of one of the seven for one request.
    async fn proof(&self, case: Case, template: &str) -> Option<String> {
        // A process is between two; whatever is for all members is for no member of another dataspace.
        let other = if template.contains("{id}") && !template.contains("/datasets/") {
            &self.world.fellow
        } else {
            &self.world.foreigner
        };
        match case {
            Case::Nobody => None,
            Case::Stranger => Some(mint(self.stranger, self.audience, None).await),
            Case::OtherTenant => Some(mint(other, self.audience, self.access).await),
            case => Some(self.forged[&case].clone()),
        }
    }

    /// What whoever may is answered.
    async fn welcomed(&self, method: &str, path: &str, body: Option<&Value>) -> Seen {
        let token = mint(self.entitled, self.audience, self.access).await;
        ask(method, &format!("{}{path}", self.world.house.running.url()), Some(&token), body).await
    }
}

async fn mint(party: &Party, audience: &str, access: Option<&str>) -> String {
    match access {
        Some(access) => party.token_carrying(audience, access).await,
        None => party.token(audience, &membership()).await,
    }
}

/// What each of the seven may be told.
fn expected(surface: Surface, template: &str, case: Case) -> &'static [u16] {
    let end = template.rsplit('/').next().unwrap_or_default();
    match (surface, end, case) {
        (Surface::Dataspace, ..) => &[404],
        // Anybody with a DID may leave an offer of its own; nobody one of another's.
        (_, "offers", Case::Stranger | Case::OtherTenant) => &[403],
        // Nobody has asked the sender for anything.
        (_, "credentials", Case::Stranger | Case::OtherTenant) => &[401, 404],
        _ => &[401],
    }
}

async fn check(stage: &Stage<'_>, route: &Route, case: Case) -> Vec<String> {
    let Route { template, method } = route;
    let (world, surface) = (stage.world, of(route));
    let (mut found, mut first) = (Vec::new(), None);
    for leads in [Leads::Somewhere, Leads::Beside] {
        let path = world.places.path(template, leads);
        let body = bodies::of(world, template, leads).filter(|_| method == "POST");
        let url = format!("{}{path}", world.house.running.url());
        let proof = stage.proof(case, template).await;
        let seen = ask(method, &url, proof.as_deref(), body.as_ref()).await;
        let how = format!("{method} {template} as {case:?} to {leads:?}");
        if !expected(surface, template, case).contains(&seen.status) {
            found.push(format!("{how}: {} {}", seen.status, seen.body));
        }
        // An error names the process that was asked for.
        let mut seen = seen;
        for id in ["negotiations", "transfers", "datasets", "requests"] {
            seen = seen.renamed(world.places.id("id", id), ABSENT);
        }
        match &first {
            Some(first) if *first != seen => found.push(format!("{how}: {seen:?} and not {first:?}")),
            Some(_) => {}
            None => first = Some(seen),
        }
    }
    found
}

async fn at(stage: &Stage<'_>, routes: &[&Route]) -> Vec<String> {
    complaints(
        routes.iter().flat_map(|route| Case::ALL.into_iter().map(move |case| check(stage, route, case))),
    )
    .await
}

fn chosen<'a>(routes: &'a [Route], prefix: &str) -> Vec<&'a Route> {
    let peers = |route: &&Route| matches!(of(route), Surface::Dataspace | Surface::Claims);
    routes.iter().filter(peers).filter(|route| route.template.starts_with(prefix)).collect()
}

/// The Dataspace Protocol as each of the seven.
pub async fn dataspace_refusals(world: &World, routes: &[Route]) -> Vec<String> {
    let did = &world.provider.organisation.did;
    let stage = Stage::set(world, (did, &world.consumer, &world.outsider), None).await;
    at(&stage, &chosen(routes, "/api/dsp/")).await
}

/// The credential service and the issuer service as each of the seven.
pub async fn claims_refusals(world: &World, routes: &[Route]) -> Vec<String> {
    let access = access_token(world).await;
    let did = &world.consumer.organisation.did;
    let stage = Stage::set(world, (did, &world.provider, &world.outsider), Some(&access)).await;
    let mut found = at(&stage, &chosen(routes, "/api/credentials/")).await;
    let issuer = &world.scene.dataspace.issuer;
    let stage = Stage::set(world, (issuer, &world.consumer, &world.foreigner), None).await;
    found.extend(at(&stage, &chosen(routes, "/api/issuance/")).await);
    found
}

/// The access token that the consumer gives the provider inside a self-issued token of its.
async fn access_token(world: &World) -> String {
    let token = world.consumer.token(&world.provider.organisation.did, &membership()).await;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("claims")).expect("base64url");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["token"].as_str().expect("an access token").to_owned()
}

/// Whoever may is shown what the others were told is not there: the refusals were not for want of it.
pub async fn whoever_may_is_welcome(world: &World) {
    let did = &world.provider.organisation.did;
    let stage = Stage::set(world, (did, &world.consumer, &world.outsider), None).await;
    let dsp = "/api/dsp/{context}/{profile}";
    for (method, template, status) in [
        ("POST", format!("{dsp}/catalog/request"), 200),
        ("GET", format!("{dsp}/catalog/datasets/{{id}}"), 200),
        ("GET", format!("{dsp}/negotiations/{{id}}"), 200),
        ("GET", format!("{dsp}/transfers/{{id}}"), 200),
    ] {
        let path = world.places.path(&template, Leads::Somewhere);
        let body = bodies::of(world, &template, Leads::Somewhere);
        let seen = stage.welcomed(method, &path, body.as_ref()).await;
        assert_eq!(seen.status, status, "{method} {path}: {seen:?}");
    }
    let access = access_token(world).await;
    let did = &world.consumer.organisation.did;
    let stage = Stage::set(world, (did, &world.provider, &world.outsider), Some(&access)).await;
    let template = "/api/credentials/v1/participants/{context}/presentations/query";
    let path = world.places.path(template, Leads::Somewhere);
    let body = bodies::of(world, template, Leads::Somewhere);
    let seen = stage.welcomed("POST", &path, body.as_ref()).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let issuer = &world.scene.dataspace.issuer;
    let stage = Stage::set(world, (issuer, &world.consumer, &world.foreigner), None).await;
    let template = "/api/issuance/v1beta/participants/{context}/requests/{id}";
    let seen = stage.welcomed("GET", &world.places.path(template, Leads::Somewhere), None).await;
    assert_eq!(seen.status, 200, "{seen:?}");
}
