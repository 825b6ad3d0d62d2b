//! An organisation at work, which expects a no as well as a yes.

use heddle::demo::{
    Client, client::text_of, content::Content, feed::Feed, onboarding::Organisation, publishing::publish,
};
use heddle_e2e::{Answer, post};
use serde_json::{Map, Value, json};

const MANAGEMENT: &str = "https://w3id.org/edc/connector/management/v2";

/// An organisation with the client that acts for it.
pub struct Party {
    pub organisation: Organisation,
    pub client: Client,
    /// What it shows to providers beside that which its dataspace asks for.
    pub shows: Vec<String>,
}

/// A consumer's negotiation that came to its end.
pub struct Ended {
    pub negotiation: Value,
    /// What its trace tells, without times.
    pub trace: Value,
}

impl Ended {
    pub fn state(&self) -> &str {
        self.negotiation["state"].as_str().expect("a state")
    }

    /// Everything that it tells its owner, with its own id and the asset's taken out.
    pub fn told(&self, asset: &str) -> Value {
        let id = self.negotiation["@id"].as_str().expect("an id");
        let text = json!([self.negotiation, self.trace]).to_string();
        let text = text.replace(id, "<process>").replace(asset, "<asset>");
        serde_json::from_str(&text).expect("JSON as before")
    }
}

impl Party {
    pub fn new(operator: &Client, organisation: Organisation) -> Self {
        Self { client: organisation.client(operator), organisation, shows: Vec::new() }
    }

    /// Offers a file to members.
    pub async fn publish(&self, asset: &str) {
        publish(&self.client, &self.organisation, asset, &Content::Generated(1)).await.expect("published");
    }

    /// Offers an asset to those who have a credential of this type, in every step of the way.
    pub async fn offer_to(&self, asset: &str, credential: &str) {
        let holders = json!([{"leftOperand": credential, "operator": "eq", "rightOperand": "active"}]);
        let policy = json!({"@type": "Set", "permission": [{"action": "use", "constraint": holders}]});
        let selector = json!({"@type": "Criterion", "operandLeft": "https://w3id.org/edc/v0.0.1/ns/id",
            "operator": "=", "operandRight": asset});
        let definition = json!({"@type": "ContractDefinition", "@id": format!("offer-{asset}"),
            "accessPolicyId": format!("policy-{asset}"), "contractPolicyId": format!("policy-{asset}"),
            "assetsSelector": [selector]});
        let made = [
            ("assets", json!({"@type": "Asset", "@id": asset, "properties": {"name": asset}})),
            (
                "policydefinitions",
                json!({"@type": "PolicyDefinition", "@id": format!("policy-{asset}"), "policy": policy}),
            ),
            ("contractdefinitions", definition),
        ];
        for (kind, mut body) in made {
            body["@context"] = json!([MANAGEMENT]);
            let path = format!("{}/{kind}", self.organisation.management());
            self.client.create(&format!("{kind}-{asset}"), &path, &body).await.expect("it is made");
        }
    }

    /// Asks `provider` for its catalog.
    pub async fn catalog(&self, provider: &Organisation) -> Answer {
        self.ask(provider, "catalog/request", json!({"@type": "CatalogRequest"})).await
    }

    /// Asks `provider` for one dataset.
    pub async fn dataset(&self, provider: &Organisation, asset: &str) -> Answer {
        let wanted = json!({"@type": "DatasetRequest", "@id": asset});
        self.ask(provider, "catalog/dataset/request", wanted).await
    }

    async fn ask(&self, provider: &Organisation, what: &str, mut wanted: Value) -> Answer {
        wanted["@context"] = json!([MANAGEMENT]);
        wanted["counterPartyAddress"] = json!(provider.protocol());
        wanted["counterPartyId"] = json!(provider.did);
        wanted["profile"] = json!(self.organisation.profile);
        wanted["additionalScopes"] = json!(self.shows);
        post(&self.client, &format!("{}/{what}", self.organisation.management()), &wanted).await
    }

    /// The first offer for `asset` in the catalog of `provider`.
    pub async fn offer_of(&self, provider: &Organisation, asset: &str) -> Option<Value> {
        let catalog = self.catalog(provider).await;
        let datasets = catalog.body["dataset"].as_array()?;
        let dataset = datasets.iter().find(|dataset| dataset["@id"] == asset)?;
        dataset["hasPolicy"].get(0).cloned()
    }

    /// Negotiates `offer` for `asset` to the end, whichever that is.
    pub async fn negotiate(&self, provider: &Organisation, asset: &str, offer: &Value) -> Ended {
        let organisation = &self.organisation;
        let mut feed =
            Feed::open(&self.client, &format!("{}/events", organisation.management())).await.expect("a feed");
        let mut policy = offer.clone();
        policy["@type"] = json!("Offer");
        policy["assigner"] = json!(provider.did);
        policy["target"] = json!(asset);
        let request = json!({
            "@context": [MANAGEMENT], "@type": "ContractRequest", "policy": policy,
            "counterPartyAddress": provider.protocol(), "profile": organisation.profile,
        });
        let path = format!("{}/contractnegotiations", organisation.management());
        let begun = self.client.query(&path, &request).await.expect("it begins");
        let id = text_of(&begun, "@id", &path).expect("an id");
        let ends = ["contract.negotiation.finalized", "contract.negotiation.terminated"];
        feed.wait("the negotiation has ended", |event| {
            ends.contains(&event.kind.as_str()) && event.tells("contractNegotiationId", &id)
        })
        .await
        .expect("it ends");
        let path = format!("{path}/{id}");
        let negotiation = self.client.get(&path).await.expect("it is shown");
        let trace = self.client.get(&format!("{path}/trace")).await.expect("its trace is shown");
        Ended { negotiation: timeless(negotiation), trace: timeless(trace) }
    }

    /// Asks an issuer for a credential, and gets it.
    pub async fn obtain(&self, issuer: &str, definition: &str, credential: &str) {
        let identity = format!("/api/identity/v1beta/participants/{}", self.organisation.context);
        let mut feed = Feed::open(&self.client, &format!("{identity}/events")).await.expect("a feed");
        let pid = format!("{definition}-later");
        let wanted = json!({"id": definition, "type": credential, "format": "VC1_0_JWT"});
        let body = json!({"issuerDid": issuer, "holderPid": pid, "credentials": [wanted]});
        let path = format!("{identity}/credentials/request");
        self.client.query(&path, &body).await.expect("it asks");
        feed.wait("the credential is issued", |event| {
            event.kind == "credential.request.issued" && event.tells("holderPid", &pid)
        })
        .await
        .expect("it is issued");
    }

    /// What it denied to others, newest first.
    pub async fn denials(&self) -> Vec<Value> {
        let path = format!("{}/denials", self.organisation.management());
        self.client.get(&path).await.expect("denials are shown").as_array().expect("a list").clone()
    }

    /// How many negotiations it keeps.
    pub async fn negotiations(&self) -> usize {
        let query = json!({"@context": [MANAGEMENT], "@type": "QuerySpec"});
        let path = format!("{}/contractnegotiations/request", self.organisation.management());
        self.client.query(&path, &query).await.expect("a list").as_array().expect("a list").len()
    }
}

/// Those of a provider's denials that are about one kind of request for one thing.
pub fn denials_of(denials: &[Value], request: &str, subject: &str) -> Vec<Value> {
    let ours = denials.iter().filter(|denial| denial["request"] == request && denial["subject"] == subject);
    ours.cloned().collect()
}

/// How many requests the denials stand for: the same refusal, repeated, is one denial.
pub fn times<'a>(denials: impl IntoIterator<Item = &'a Value>) -> u64 {
    denials.into_iter().map(|denial| denial["times"].as_u64().expect("how often")).sum()
}

/// Without members that say when, or in which piece of work.
fn timeless(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let when = ["at", "traceId", "createdAt", "stateTimestamp", "id"];
            let kept = members.into_iter().filter(|(name, _)| !when.contains(&name.as_str()));
            Value::Object(kept.map(|(name, member)| (name, timeless(member))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(timeless).collect()),
        other => other,
    }
}
