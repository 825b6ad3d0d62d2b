//! Counts, over the public APIs, what of each thing there may be exactly one.

use std::fmt;

use heddle::demo::{Client, Parties, onboarding::Organisation};
use serde_json::{Value, json};

use crate::Party;

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

async fn at_issuer(operator: &Client, path: &str) -> Vec<Value> {
    list(operator.query(path, &json!({})).await.unwrap_or_else(|error| panic!("{path}: {error}")))
}

fn list(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(list) => list,
        other => panic!("a list was expected, not {other}"),
    }
}
