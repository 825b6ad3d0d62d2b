//! Parties that ask, and take a no as well as a yes: over the Management API, and as peers on the wire.

use heddle::demo::{feed::Feed, management::typed, onboarding::Organisation};
use heddle_outbound::{Authorization, Request};
use http::Method;
use serde_json::{Map, Value, json};

use crate::{Answer, Party, answer_to};

/// A consumer's negotiation that came to its end.
pub struct Ended {
    /// The negotiation, without times.
    pub negotiation: Value,
    /// What its trace tells, without times.
    pub trace: Value,
}

impl Ended {
    /// The state it has come to.
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
    /// Asks `provider` for its catalog.
    pub async fn catalog(&self, provider: &Self) -> Answer {
        self.ask_catalog(provider, "catalog/request", typed("CatalogRequest", json!({}))).await
    }

    /// Asks `provider` for one dataset.
    pub async fn dataset(&self, provider: &Self, asset: &str) -> Answer {
        let wanted = typed("DatasetRequest", json!({"@id": asset}));
        self.ask_catalog(provider, "catalog/dataset/request", wanted).await
    }

    async fn ask_catalog(&self, provider: &Self, what: &str, mut wanted: Value) -> Answer {
        wanted["counterPartyAddress"] = json!(provider.organisation.protocol());
        wanted["counterPartyId"] = json!(provider.organisation.did);
        wanted["profile"] = json!(self.organisation.profile);
        wanted["additionalScopes"] = json!(self.shows);
        let path = format!("{}/{what}", self.organisation.management());
        Answer::to_post(&self.client, &path, &wanted).await
    }

    /// The first offer for `asset` in the catalog of `provider`.
    pub async fn offer_of(&self, provider: &Self, asset: &str) -> Option<Value> {
        let catalog = self.catalog(provider).await;
        let datasets = catalog.body["dataset"].as_array()?;
        let dataset = datasets.iter().find(|dataset| dataset["@id"] == asset)?;
        dataset["hasPolicy"].get(0).cloned()
    }

    /// Negotiates `offer` for `asset` to the end, whichever that is.
    pub async fn negotiate(&self, provider: &Self, asset: &str, offer: &Value) -> Ended {
        let Organisation { did, .. } = &provider.organisation;
        let id = self.ask((&provider.organisation.protocol(), did), asset, offer).await;
        let ends = ["contract.negotiation.finalized", "contract.negotiation.terminated"];
        self.hears_one_of(&ends, &id).await;
        let negotiation = self.shown("contractnegotiations", &id).await;
        let trace = self.trace("contractnegotiations", &id).await;
        Ended { negotiation: timeless(negotiation), trace: timeless(trace) }
    }

    /// Asks an issuer for a credential, and gets it.
    pub async fn obtain(&self, issuer: &str, definition: &str, credential: &str) {
        let identity = self.identity();
        let mut feed = Feed::open(&self.client, &format!("{identity}/events")).await.expect("a feed");
        let pid = format!("{definition}-later");
        let wanted = json!({"id": definition, "type": credential, "format": "VC1_0_JWT"});
        let body = json!({"issuerDid": issuer, "holderPid": pid, "credentials": [wanted]});
        let path = format!("{identity}/credentials/request");
        self.client.query(&path, &body).await.expect("it asks");
        let issued = feed.wait("the credential is issued", |event| {
            assert_ne!(event.kind, "credential.request.error", "{:?}", event.payload);
            event.kind == "credential.request.issued" && event.tells("holderPid", &pid)
        });
        issued.await.expect("it is issued");
    }

    /// A request to an endpoint of `other`, under its dataspace profile, which the party makes by itself: with a
    /// self-issued token of its token service that grants `scopes`.
    pub async fn ask_as_peer(
        &self,
        other: &Self,
        (method, path, body): (Method, &str, Option<&Value>),
        scopes: &str,
    ) -> Answer {
        let token = self.token(&other.organisation.did, scopes).await;
        let request = Request::new(method, format!("{}{path}", other.organisation.protocol()));
        let request = request.authorization(Authorization::bearer(&token));
        answer_to(body.into_iter().fold(request, |request, body| request.json_of(body))).await
    }

    /// A self-issued token for `audience`; each is good for one request.
    pub async fn token(&self, audience: &str, scopes: &str) -> String {
        self.token_with(audience, ("bearer_access_scope", scopes)).await
    }

    /// A self-issued token for `audience` that carries `access`, which the audience has given to whoever presents it.
    pub async fn token_carrying(&self, audience: &str, access: &str) -> String {
        self.token_with(audience, ("token", access)).await
    }

    async fn token_with(&self, audience: &str, more: (&str, &str)) -> String {
        let Organisation { server, client_id, client_secret, .. } = &self.organisation;
        let request = Request::post(format!("{server}/api/sts/token")).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", client_secret),
            ("audience", audience),
            more,
        ]);
        let Answer { body, .. } = answer_to(request).await;
        body["access_token"].as_str().unwrap_or_else(|| panic!("a token: {body}")).to_owned()
    }
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
