//! What stands for the parameters of a path: the ids of what exists, or ids that nobody has ever given.

use std::collections::BTreeMap;

use heddle::demo::Client;
use heddle_e2e::{Key, Party, Scene};
use serde_json::{Value, json};

use crate::world::ASSET;

/// Nothing has this id.
pub const ABSENT: &str = "00000000-0000-4000-8000-00000000dead";

/// Ids by parameter and by the segment before it.
pub struct Places(BTreeMap<(&'static str, &'static str), String>);

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// To something that exists.
    Somewhere,
    /// To a context that exists, and nothing there.
    Beside,
    /// To nothing at all.
    Nowhere,
}

/// Parameters of which nothing exists here that could be named: paths with them lead nowhere anyhow.
const NONE_EXIST: [(&str, &str); 9] = [
    ("id", "celexpressions"),
    ("id", "dead-jobs"),
    ("id", "offers"),
    ("id", "orchestrations"),
    ("kid", "keys"),
    ("id", "controlplanes"),
    ("pid", "request"),
    ("id", "dcpscopes"),
    ("id", "dataplanes"),
];

fn text(value: &Value, name: &str) -> String {
    let found = [name, "@id", "id"].into_iter().find_map(|name| value[name].as_str());
    found.unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

async fn first(client: &Client, path: &str, query: Option<&Value>, name: &str) -> String {
    let found = match query {
        Some(query) => client.query(path, query).await,
        None => client.get(path).await,
    };
    let found = found.unwrap_or_else(|error| panic!("{path}: {error}"));
    let list = found.as_array().unwrap_or_else(|| panic!("a list at {path}: {found}"));
    text(list.first().unwrap_or_else(|| panic!("something at {path}")), name)
}

impl Places {
    /// Looks everything up.
    pub async fn find(
        (scene, operator): (&Scene, &Client),
        (provider, consumer): (&Party, &Party),
        (transfer, key): (&str, &Key),
    ) -> Self {
        let mut places = BTreeMap::new();
        let context = provider.organisation.context.clone();
        for before in ["participants", "dsp", "signaling", "clients"] {
            places.insert(("context", before), context.clone());
        }
        places.insert(("profile", "{context}"), provider.organisation.profile.clone());
        places.insert(("name", "dataspaceprofiles"), provider.organisation.profile.clone());
        for (before, collection) in [
            ("assets", "assets"),
            ("policydefinitions", "policydefinitions"),
            ("contractdefinitions", "contractdefinitions"),
            ("contractnegotiations", "contractnegotiations"),
            ("contractagreements", "contractagreements"),
        ] {
            places.insert(("id", before), text(&provider.all(collection).await[0], "@id"));
        }
        places.insert(("id", "denials"), text(&provider.denials().await[0], "@id"));
        let there = provider.counterpart(transfer).await;
        for before in ["transferprocesses", "transfers", "flows", "dataflows"] {
            places.insert(("id", before), there.clone());
        }
        places.insert(("id", "negotiations"), places[&("id", "contractnegotiations")].clone());
        places.insert(("id", "datasets"), ASSET.to_owned());
        places.insert(("dataset", "sources"), ASSET.to_owned());
        places.insert(("flow", "public"), key.endpoint.rsplit('/').next().expect("an id").to_owned());
        let identity = format!("/api/identity/v1beta/participants/{context}");
        places.insert(("id", "keypairs"), first(operator, &format!("{identity}/keypairs"), None, "id").await);
        places.insert(
            ("id", "credentials"),
            first(operator, &format!("{identity}/credentials"), None, "id").await,
        );
        Self::find_managed(&mut places, operator, provider).await;
        Self::find_issued(&mut places, operator, (scene, consumer)).await;
        Self(places)
    }

    async fn find_managed(
        places: &mut BTreeMap<(&'static str, &'static str), String>,
        operator: &Client,
        provider: &Party,
    ) {
        let tm = "/api/tm/v1alpha1";
        let tenants = operator.get(&format!("{tm}/tenants")).await.expect("tenants");
        let ours = |tenant: &&Value| tenant["properties"]["did"] == provider.organisation.did.as_str();
        let tenant =
            text(tenants.as_array().expect("a list").iter().find(ours).expect("the provider's"), "id");
        let profiles = format!("{tm}/tenants/{tenant}/participant-profiles");
        places.insert(("id", "participant-profiles"), first(operator, &profiles, None, "id").await);
        places.insert(("tenant", "tenants"), tenant);
        for collection in ["cells", "dataspace-profiles"] {
            places
                .insert(("id", collection), first(operator, &format!("{tm}/{collection}"), None, "id").await);
        }
        places.insert(("type", "activity-definitions"), "edcv-activity".to_owned());
        places.insert(("template", "orchestration-definitions"), "onboarding".to_owned());
    }

    async fn find_issued(
        places: &mut BTreeMap<(&'static str, &'static str), String>,
        operator: &Client,
        (scene, consumer): (&Scene, &Party),
    ) {
        let all = json!({});
        let admin = scene.issuer_admin();
        let holders = operator.query(&format!("{admin}/holders/query"), &all).await.expect("holders");
        let ours = |holder: &&Value| holder["did"] == consumer.organisation.did.as_str();
        let holder = holders.as_array().expect("a list").iter().find(ours).expect("the consumer").clone();
        let id = text(&holder, "holderId");
        let processes =
            operator.query(&format!("{admin}/issuanceprocesses/query"), &all).await.expect("some");
        let ours = |process: &&Value| process["holderId"] == id.as_str();
        let process = processes.as_array().expect("a list").iter().find(ours).expect("the consumer's");
        places.insert(("id", "issuanceprocesses"), text(process, "id"));
        places.insert(("id", "requests"), text(process, "id"));
        places.insert(("holder", "records"), id.clone());
        places.insert(("id", "holders"), id);
        places.insert(("id", "attestations"), heddle::demo::founding::ATTESTATION.to_owned());
        places.insert(("id", "credentialdefinitions"), heddle::demo::founding::DEFINITION.to_owned());
        places.insert(("definition", "schemas"), heddle::demo::founding::DEFINITION.to_owned());
        places.insert(("issuer", "context"), scene.dataspace.issuer_context.clone());
        places.insert(("holder", "context"), consumer.organisation.context.clone());
    }

    /// The id of what a path calls so.
    pub fn id(&self, parameter: &'static str, before: &'static str) -> &str {
        &self.0[&(parameter, before)]
    }

    /// The path that a template stands for.
    pub fn path(&self, template: &str, leads: Leads) -> String {
        let segments: Vec<&str> = template.split('/').collect();
        let filled = segments.iter().enumerate().map(|(place, segment)| {
            let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
                return (*segment).to_owned();
            };
            match leads {
                Leads::Nowhere => ABSENT.to_owned(),
                Leads::Beside if name != "context" && name != "profile" => ABSENT.to_owned(),
                _ => self.existing(template, (name, segments[place - 1])),
            }
        });
        filled.collect::<Vec<_>>().join("/")
    }

    fn existing(&self, template: &str, (name, before): (&str, &str)) -> String {
        if name == "context"
            && (template.starts_with("/api/admin/") || template.starts_with("/api/issuance/"))
        {
            return self.id("issuer", "context").to_owned();
        }
        if name == "context" && template.starts_with("/api/credentials/") {
            return self.id("holder", "context").to_owned();
        }
        let known = self.0.iter().find(|((known, place), _)| *known == name && *place == before);
        match known {
            Some((_, id)) => id.clone(),
            None if NONE_EXIST.contains(&(name, before)) => ABSENT.to_owned(),
            None => panic!("{template}: say in places.rs what '{{{name}}}' after '{before}' is"),
        }
    }
}
