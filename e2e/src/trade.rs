//! Organisations that trade with each other: publish, negotiate, transfer, fetch, and steer what they have begun.

use std::{sync::LazyLock, time::Duration};

use heddle::demo::{
    Client,
    content::{Content, Digest},
    feed::{Feed, FeedEvent},
    onboarding::Organisation,
    publishing,
    sharing::Consumer,
};
use heddle_clock::Environment;
use heddle_outbound::{Authorization, Outbound, OutboundConfig, OutboundError, Request};
use serde_json::{Value, json};

use crate::Scene;

const MANAGEMENT_CONTEXT: &str = "https://w3id.org/edc/connector/management/v2";

/// Nobody's client: what it sends carries what the test gives it, and is sent once.
static STRANGER: LazyLock<Outbound> = LazyLock::new(|| {
    let config = OutboundConfig {
        allow_http: true,
        allow_private_addresses: true,
        request_timeout: Duration::from_secs(30),
        body_bytes_max: 16 * 1024 * 1024,
        ..OutboundConfig::default()
    };
    Outbound::new(config, Environment::system()).expect("the settings are right")
});

/// An organisation that acts for itself, and hears what happens to it.
pub struct Party {
    /// Acts for it.
    pub client: Client,
    /// The organisation.
    pub organisation: Organisation,
    feed: Feed,
}

impl Party {
    /// Brings `name` on board, and listens from then on.
    pub async fn on_board(scene: &Scene, name: &str) -> Self {
        Self::acting(scene.onboard(name).await, &scene.operator).await
    }

    /// An organisation that is on board at the server of `operator`.
    pub async fn acting(organisation: Organisation, operator: &Client) -> Self {
        let client = organisation.client(operator);
        let feed = Feed::open(&client, &format!("{}/events", organisation.management())).await;
        Self { client, organisation, feed: feed.expect("the feed opens") }
    }

    /// Offers new content to all members; gives its digest.
    pub async fn publish(&self, asset: &str) -> String {
        self.publish_content(asset, &Content::Generated(seed_of(asset))).await
    }

    /// Offers this content to all members; gives its digest.
    pub async fn publish_content(&self, asset: &str, content: &Content) -> String {
        let digest = publishing::publish(&self.client, &self.organisation, asset, content).await;
        digest.expect("the asset is published").result().0
    }

    /// Uploads new content for what it offers; gives its digest.
    pub async fn upload(&self, asset: &str) -> String {
        let content = Content::Generated(seed_of(asset));
        let digest = publishing::upload(&self.client, &self.organisation, asset, &content).await;
        digest.expect("the bytes are uploaded").result().0
    }

    /// Comes to an agreement about an asset of `provider`; gives its local id.
    pub async fn agree(&self, provider: &Self, asset: &str) -> String {
        let mut consumer = self.towards(provider).await;
        let offer = consumer.discover(asset).await.expect("the asset is offered");
        let step = format!("{}-{asset}", self.organisation.name);
        consumer.negotiate(&step, asset, &offer).await.expect("the provider agrees").0
    }

    /// Transfers under an agreement; gives the transfer when data may flow. `step` names it within the story.
    pub async fn transfer(&self, provider: &Self, step: &str, agreement: &str) -> String {
        let mut consumer = self.towards(provider).await;
        let step = format!("{}-{step}", self.organisation.name);
        consumer.transfer(&step, agreement).await.expect("the transfer starts").0
    }

    /// Itself as a consumer that turns to `provider`.
    pub async fn towards<'a>(&'a self, provider: &'a Self) -> Consumer<'a> {
        let consumer = Consumer::ready(&self.client, &self.organisation, &provider.organisation).await;
        consumer.expect("the feed opens")
    }

    /// What opens a transfer that flows to it.
    pub async fn key(&self, transfer: &str) -> Key {
        let edr = self.client.get(&format!("{}/edr", self.flow(transfer))).await.expect("data may flow");
        let text = |name: &str| edr[name].as_str().expect("the reference is whole").to_owned();
        Key { endpoint: text("endpoint"), token: text("authorization") }
    }

    /// The path of one of its flows.
    pub fn flow(&self, transfer: &str) -> String {
        format!("/api/dataplane/v1/participants/{}/flows/{transfer}", self.organisation.context)
    }

    /// Its own transfer that is the counterpart of `peers`, another party's.
    pub async fn counterpart(&self, peers: &str) -> String {
        let path = format!("{}/transferprocesses/request", self.organisation.management());
        let criterion = json!([{
            "@type": "Criterion", "operandLeft": "correlationId", "operator": "=", "operandRight": peers,
        }]);
        let spec =
            json!({"@context": [MANAGEMENT_CONTEXT], "@type": "QuerySpec", "filterExpression": criterion});
        let found = self.client.query(&path, &spec).await.expect("transfers are listed");
        let all = found.as_array().expect("a list");
        assert_eq!(all.len(), 1, "one transfer is the counterpart of {peers}: {found}");
        all[0]["@id"].as_str().expect("an id").to_owned()
    }

    /// `suspend`, `resume` or `terminate` for a transfer, by the Management API.
    pub async fn steer(&self, command: &str, transfer: &str) {
        let path = format!("{}/transferprocesses/{transfer}/{command}", self.organisation.management());
        let kind = format!("{}{}Transfer", command[..1].to_uppercase(), &command[1..]);
        let body = json!({"@context": [MANAGEMENT_CONTEXT], "@type": kind, "reason": format!("{command}, as a test")});
        self.client.query(&path, &body).await.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// A process of its own: `contractnegotiations` or `transferprocesses`.
    pub async fn shown(&self, collection: &str, id: &str) -> Value {
        let path = format!("{}/{collection}/{id}", self.organisation.management());
        self.client.get(&path).await.expect("the process is shown")
    }

    /// Everything in one of its collections.
    pub async fn all(&self, collection: &str) -> Vec<Value> {
        let path = format!("{}/{collection}/request", self.organisation.management());
        let spec = json!({"@context": [MANAGEMENT_CONTEXT], "@type": "QuerySpec"});
        let found = self.client.query(&path, &spec).await.expect("the collection is listed");
        found.as_array().expect("a list").clone()
    }

    /// Asks for a contract about `asset` at `address`, where `assigner` is said to be; gives the negotiation.
    pub async fn ask(&self, step: &str, (address, assigner): (&str, &str), offer: &Value) -> String {
        let mut policy = offer.clone();
        policy["@type"] = json!("Offer");
        policy["assigner"] = json!(assigner);
        let request = json!({
            "@context": [MANAGEMENT_CONTEXT], "@type": "ContractRequest", "counterPartyAddress": address,
            "profile": self.organisation.profile, "policy": policy,
        });
        let path = format!("{}/contractnegotiations", self.organisation.management());
        let answer = self.client.create(step, &path, &request).await.expect("the request is taken");
        answer["@id"].as_str().expect("an id").to_owned()
    }

    /// Waits until it is told that `kind` has happened to the process `id`.
    pub async fn hears(&mut self, kind: &str, id: &str) -> FeedEvent {
        let members = ["contractNegotiationId", "transferProcessId", "dataFlowId"];
        let wanted = |event: &FeedEvent| {
            event.kind == kind && members.into_iter().any(|member| event.tells(member, id))
        };
        self.feed.wait(&format!("{kind} of {id}"), wanted).await.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// An offer such as a catalog has, for an asset that nobody may have heard of.
pub fn made_up_offer(asset: &str) -> Value {
    json!({"@id": "bWFkZQ==:dXA=:b2ZmZXI=", "target": asset, "permission": [{"action": "use"}]})
}

fn seed_of(asset: &str) -> u64 {
    asset.bytes().fold(7, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()))
}

/// What opens a flow: where its data is, and the token that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The address of the data.
    pub endpoint: String,
    /// The token.
    pub token: String,
}

/// What a request for data came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Bytes, with this digest.
    Bytes(String),
    /// A refusal: the status, and what the body says.
    Refused(u16, String),
}

impl Key {
    /// Fetches with the key as it is.
    pub async fn fetch(&self) -> Fetched {
        self.fetch_with(Some(&format!("Bearer {}", self.token))).await
    }

    /// Fetches from the same address with another `Authorization`, or none.
    pub async fn fetch_with(&self, authorization: Option<&str>) -> Fetched {
        let request = Request::get(&self.endpoint).accept("*/*");
        let request = match authorization {
            Some(value) => request.authorization(Authorization::verbatim(value)),
            None => request,
        };
        answer_to(request).await.map_or_else(
            |(status, body)| Fetched::Refused(status, body),
            |bytes| {
                let digest = Digest::new();
                digest.add(&bytes);
                Fetched::Bytes(digest.result().0)
            },
        )
    }
}

/// The body of the answer to a request that nobody signs and nobody repeats; or the status of a refusal with the
/// beginning of its body.
pub async fn answer_to(request: Request) -> Result<Vec<u8>, (u16, String)> {
    match STRANGER.send(request).await {
        Ok(answer) => Ok(answer.body().to_vec()),
        Err(OutboundError::Status { status, body_excerpt, .. }) => Err((status.as_u16(), body_excerpt)),
        Err(error) => panic!("there is no answer: {error}"),
    }
}
