//! A provider and a consumer between whom data may flow at this moment.

use heddle::demo::{
    Client,
    content::Content,
    feed::{Feed, FeedEvent},
    onboarding::Organisation,
    publishing::publish,
    sharing::Consumer,
};

use serde_json::json;

use crate::Scene;

/// Where the data of a transfer is, and what opens it.
#[derive(Debug, Clone)]
pub struct Edr {
    /// The public endpoint.
    pub endpoint: String,
    /// The access token.
    pub token: String,
}

impl Edr {
    /// The status of the answer to whoever asks for the data.
    pub async fn status(&self, client: &Client) -> u16 {
        let answer = client.fetch(&self.endpoint, &format!("Bearer {}", self.token)).await;
        answer.expect("an answer").status().as_u16()
    }
}

/// A transfer that has started and is not over.
pub struct Flowing {
    /// Who has the file.
    pub provider: Organisation,
    /// Who wants it.
    pub consumer: Organisation,
    /// The asset.
    pub asset: String,
    /// The consumer's transfer process.
    pub transfer: String,
    /// What the consumer's application was given.
    pub edr: Edr,
}

impl Flowing {
    /// The consumer's application is given an address.
    async fn edr_of(client: &Client, consumer: &Organisation, transfer: &str) -> Edr {
        let flow = format!("/api/dataplane/v1/participants/{}/flows/{transfer}", consumer.context);
        let edr = client.get(&format!("{flow}/edr")).await.expect("an address");
        let text = |name: &str| edr[name].as_str().expect("a text").to_owned();
        Edr { endpoint: text("endpoint"), token: text("authorization") }
    }

    /// The consumer holds the transfer and lets it go on; gives its new address.
    pub async fn resumed(&self, scene: &Scene) -> Edr {
        let client = self.consumer.client(&scene.operator);
        let path = format!("{}/transferprocesses/{}", self.consumer.management(), self.transfer);
        let feed = format!("{}/events", self.consumer.management());
        let mut feed = Feed::open(&client, &feed).await.expect("the feed opens");
        let body = json!({
            "@context": ["https://w3id.org/edc/connector/management/v2"],
            "@type": "SuspendTransfer", "reason": "a pause",
        });
        for (command, event) in [("suspend", "suspended"), ("resume", "started")] {
            let kind = format!("transfer.process.{event}");
            client.query(&format!("{path}/{command}"), &body).await.expect("it is taken");
            let ours =
                |event: &FeedEvent| event.kind == kind && event.tells("transferProcessId", &self.transfer);
            feed.wait(&kind, ours).await.expect("it happens");
        }
        Self::edr_of(&client, &self.consumer, &self.transfer).await
    }

    /// Brings two organisations on board, who publish, negotiate and begin to transfer.
    pub async fn between(scene: &Scene, provider: &str, consumer: &str, asset: &str) -> Self {
        let (provider, consumer) = (scene.onboard(provider).await, scene.onboard(consumer).await);
        let client = provider.client(&scene.operator);
        publish(&client, &provider, asset, &Content::Generated(7)).await.expect("it is published");
        let client = consumer.client(&scene.operator);
        let mut work = Consumer::ready(&client, &consumer, &provider).await.expect("the feed opens");
        let offer = work.discover(asset).await.expect("it is offered");
        let (agreement, _) = work.negotiate(asset, asset, &offer).await.expect("they agree");
        let (transfer, _) = work.transfer(asset, &agreement).await.expect("data may flow");
        let edr = Self::edr_of(&client, &consumer, &transfer).await;
        Self { asset: asset.to_owned(), transfer, edr, provider, consumer }
    }
}
