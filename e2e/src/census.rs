//! Counts, over the public APIs and in the events, what of each thing there may be exactly one.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use heddle::demo::{
    Client, Parties,
    feed::{Feed, FeedEvent},
    management::typed,
    onboarding::Organisation,
};
use serde_json::{Value, json};

use crate::Party;

/// What is told once of a participant in the story.
const TOLD_ONCE: [&str; 9] = [
    "credential.request.created",
    "credential.request.issued",
    "contract.negotiation.agreed",
    "contract.negotiation.finalized",
    "transfer.process.requested",
    "transfer.process.started",
    "transfer.process.completed",
    "data.flow.started",
    "data.flow.completed",
];
/// Made to know that a feed has told everything before it.
const MARKER: &str = "census";

/// What was counted, and how much of it there is.
pub struct Census(Vec<(String, usize)>);

impl Census {
    /// Asks the issuer, and both organisations with their own clients.
    pub async fn take(operator: &Client, parties: &Parties) -> Self {
        let mut census = Self(Vec::new());
        for party in [&parties.provider, &parties.consumer] {
            census.of_onboarding(operator, party).await;
            census.of_its_own(&Party::acting(party.clone(), operator).await).await;
        }
        census
    }

    async fn of_onboarding(&mut self, operator: &Client, party: &Organisation) {
        let tenants = list(operator.get("/api/tm/v1alpha1/tenants").await.expect("the operator may ask"));
        let tenants: Vec<&Value> =
            tenants.iter().filter(|tenant| tenant["properties"]["did"] == party.did.as_str()).collect();
        self.add(party, "tenant", tenants.len());
        for tenant in tenants {
            let id = tenant["id"].as_str().expect("a tenant has an id");
            let path = format!("/api/tm/v1alpha1/tenants/{id}/participant-profiles");
            let profiles = list(operator.get(&path).await.expect("the operator may ask"));
            let active = profiles.iter().filter(|profile| profile["error"] != true).count();
            assert_eq!(active, profiles.len(), "{profiles:?}");
            self.add(party, "participant profile", profiles.len());
            self.add(party, "event participant.profile.active", told_active(operator, party).await);
        }
        let run = party.profile.strip_prefix("dataspace-").expect("the story names it so");
        let admin = format!("/api/admin/v1beta/participants/issuer-{run}");
        let holders = at_issuer(operator, &format!("{admin}/holders/query")).await;
        let ours: Vec<&Value> = holders.iter().filter(|holder| holder["did"] == party.did.as_str()).collect();
        self.add(party, "holder at the issuer", ours.len());
        let issued = at_issuer(operator, &format!("{admin}/credentials/query")).await;
        let issued =
            issued.iter().filter(|one| ours.iter().any(|holder| holder["holderId"] == one["holderId"]));
        self.add(party, "issued credential", issued.count());
    }

    async fn of_its_own(&mut self, party: &Party) {
        let organisation = &party.organisation;
        self.add(organisation, "credential in the wallet", party.wallet().await.len());
        for (what, collection) in [
            ("negotiation", "contractnegotiations"),
            ("agreement", "contractagreements"),
            ("transfer", "transferprocesses"),
        ] {
            self.add(organisation, what, party.all(collection).await.len());
        }
        let told = told(party).await;
        for kind in TOLD_ONCE {
            self.add(organisation, &format!("event {kind}"), told.get(kind).copied().unwrap_or_default());
        }
    }

    fn add(&mut self, party: &Organisation, what: &str, count: usize) {
        self.0.push((format!("{what} of the {}", party.name), count));
    }

    /// Of everything there is one.
    pub fn assert_nothing_is_there_twice(&self) {
        assert!(self.0.iter().all(|(_, count)| *count == 1), "{self}");
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(what, count)| format!("{count} {what}")).collect();
        f.write_str(&parts.join(", "))
    }
}

/// How often a participant's feed has told of each type of event since it is there.
async fn told(party: &Party) -> BTreeMap<String, usize> {
    let management = party.organisation.management();
    let mut feed = Feed::open(&party.client, &format!("{management}/events?after=0")).await.expect("a feed");
    let marker = typed("Asset", json!({"@id": MARKER, "properties": {"name": MARKER}}));
    party.client.create(MARKER, &format!("{management}/assets"), &marker).await.expect("it is made");
    let seen = Mutex::new(BTreeMap::new());
    let last = |event: &FeedEvent| {
        *seen.lock().unwrap_or_else(PoisonError::into_inner).entry(event.kind.clone()).or_default() += 1;
        event.tells("assetId", MARKER)
    };
    feed.wait("everything is told", last).await.expect("the marker is told");
    seen.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// How often the Tenant Manager's feed has told that a participant is active.
async fn told_active(operator: &Client, party: &Organisation) -> usize {
    let mut feed = Feed::open(operator, "/api/tm/v1alpha1/events?after=0").await.expect("a feed");
    let step = format!("{MARKER}-{}", party.name);
    let body = json!({"properties": {"name": step}});
    let marker = operator.create(&step, "/api/tm/v1alpha1/tenants", &body).await.expect("it is made");
    let id = marker["id"].as_str().expect("a tenant has an id");
    let seen = Mutex::new(0);
    let last = |event: &FeedEvent| {
        let active =
            event.kind == "participant.profile.active" && event.tells("participantContextId", &party.context);
        *seen.lock().unwrap_or_else(PoisonError::into_inner) += usize::from(active);
        event.kind == "tenant.created" && event.tells("tenantId", id)
    };
    feed.wait("everything is told", last).await.expect("the marker is told");
    seen.into_inner().unwrap_or_else(PoisonError::into_inner)
}

async fn at_issuer(operator: &Client, path: &str) -> Vec<Value> {
    list(operator.query(path, &json!({})).await.unwrap_or_else(|error| panic!("{path}: {error}")))
}

fn list(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(list) => list,
        other => panic!("a list was expected, not {other}"),
    }
}
