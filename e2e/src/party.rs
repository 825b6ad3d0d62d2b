//! Organisations at work: they publish, come to agreements, hear of what happens, and look at what they have.

use heddle::demo::{
    Client,
    client::text_of,
    content::Content,
    feed::{Feed, FeedEvent},
    management::query,
    onboarding::Organisation,
    publishing,
    sharing::{Consumer, contract_request},
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::Scene;

/// An organisation that acts for itself, and hears what happens to it.
pub struct Party {
    /// Acts for it.
    pub client: Client,
    /// The organisation.
    pub organisation: Organisation,
    /// What it shows to providers beside that which its dataspace asks for.
    pub shows: Vec<String>,
    feed: Mutex<Feed>,
}

impl Party {
    /// An organisation that is on board at the server of `operator`. It listens from now on.
    pub async fn acting(organisation: Organisation, operator: &Client) -> Self {
        Self::listening(organisation.client(operator), organisation).await
    }

    /// Itself, as it acts in another dataspace that it takes part in.
    pub async fn under(&self, scene: &Scene) -> Self {
        let profile = scene.dataspace.profile.clone();
        Self::listening(self.client.clone(), Organisation { profile, ..self.organisation.clone() }).await
    }

    async fn listening(client: Client, organisation: Organisation) -> Self {
        let feed = Feed::open(&client, &format!("{}/events", organisation.management())).await;
        let feed = Mutex::new(feed.expect("the feed opens"));
        Self { client, organisation, shows: Vec::new(), feed }
    }

    /// Offers new content to all members; gives its digest.
    pub async fn publish(&self, asset: &str) -> String {
        self.publish_content(asset, &content_of(asset)).await
    }

    /// Offers this content to all members; gives its digest.
    pub async fn publish_content(&self, asset: &str, content: &Content) -> String {
        let digest = publishing::publish(&self.client, &self.organisation, asset, content).await;
        digest.expect("the asset is published").result().0
    }

    /// Offers an asset that has no bytes yet, with the types of credentials that seeing and using it need.
    pub async fn offer(&self, asset: &str, needed: (Option<&str>, Option<&str>)) {
        let offered = publishing::offer_to(&self.client, &self.organisation, asset, needed).await;
        offered.expect("it is offered");
    }

    /// Uploads new content for what it offers; gives its digest.
    pub async fn upload(&self, asset: &str) -> String {
        let digest = publishing::upload(&self.client, &self.organisation, asset, &content_of(asset)).await;
        digest.expect("the bytes are uploaded").result().0
    }

    /// Comes to an agreement about an asset of `provider`; gives its local id.
    pub async fn agree(&self, provider: &Self, asset: &str) -> String {
        let mut consumer = self.towards(provider).await;
        let offer = consumer.discover(asset).await.expect("the asset is offered");
        let step = format!("{}-{}-{asset}", self.organisation.name, provider.organisation.name);
        consumer.negotiate(&step, asset, &offer).await.expect("the provider agrees").0
    }

    /// Itself as a consumer that turns to `provider`.
    pub async fn towards<'a>(&'a self, provider: &'a Self) -> Consumer<'a> {
        let consumer = Consumer::ready(&self.client, &self.organisation, &provider.organisation).await;
        consumer.expect("the feed opens")
    }

    /// Begins to negotiate `asset` at `address`, where `assigner` is said to be; gives the negotiation.
    pub async fn ask(&self, place: (&str, &str), asset: &str, offer: &Value) -> String {
        let request = contract_request(&self.organisation, place, asset, offer);
        let path = format!("{}/contractnegotiations", self.organisation.management());
        let answer = self.client.query(&path, &request).await.expect("the request is taken");
        text_of(&answer, "@id", &path).expect("an id")
    }

    /// Waits until it is told that `kind` has happened to the process `id`.
    pub async fn hears(&self, kind: &str, id: &str) -> FeedEvent {
        self.hears_one_of(&[kind], id).await
    }

    /// Waits until it is told that one of `kinds` has happened to the process `id`.
    pub async fn hears_one_of(&self, kinds: &[&str], id: &str) -> FeedEvent {
        let members = ["contractNegotiationId", "transferProcessId", "dataFlowId"];
        let wanted = |event: &FeedEvent| {
            kinds.contains(&event.kind.as_str()) && members.into_iter().any(|member| event.tells(member, id))
        };
        let heard = self.feed.lock().await.wait(&format!("{kinds:?} of {id}"), wanted).await;
        heard.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A process of its own: `contractnegotiations` or `transferprocesses`.
    pub async fn shown(&self, collection: &str, id: &str) -> Value {
        let path = format!("{}/{collection}/{id}", self.organisation.management());
        self.client.get(&path).await.expect("the process is shown")
    }

    /// The trace of such a process.
    pub async fn trace(&self, collection: &str, id: &str) -> Value {
        self.shown(collection, &format!("{id}/trace")).await
    }

    /// Everything in one of its collections.
    pub async fn all(&self, collection: &str) -> Vec<Value> {
        self.found(collection, &[]).await
    }

    /// Everything in one of its collections that meets all criteria.
    pub(crate) async fn found(&self, collection: &str, criteria: &[Value]) -> Vec<Value> {
        let path = format!("{}/{collection}/request", self.organisation.management());
        let found = self.client.query(&path, &query(criteria)).await;
        list(found.unwrap_or_else(|error| panic!("{collection}: {error}")))
    }

    /// What it denied to others, newest first.
    pub async fn denials(&self) -> Vec<Value> {
        let path = format!("{}/denials", self.organisation.management());
        list(self.client.get(&path).await.expect("denials are shown"))
    }

    /// The credentials in its wallet.
    pub async fn wallet(&self) -> Vec<Value> {
        list(self.client.get(&format!("{}/credentials", self.identity())).await.expect("the wallet is shown"))
    }

    /// The paths of its credential service.
    pub(crate) fn identity(&self) -> String {
        format!("/api/identity/v1beta/participants/{}", self.organisation.context)
    }
}

/// An offer such as a catalog has, for an asset that nobody may have heard of.
pub fn made_up_offer(asset: &str) -> Value {
    json!({"@id": "bWFkZQ==:dXA=:b2ZmZXI=", "target": asset, "permission": [{"action": "use"}]})
}

/// Other content for every asset.
fn content_of(asset: &str) -> Content {
    Content::Generated(asset.bytes().fold(7, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())))
}

fn list(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(list) => list,
        other => panic!("a list was expected, not {other}"),
    }
}
