//! The consumer discovers, negotiates, transfers and downloads.

use futures::StreamExt;
use serde_json::{Value, json};

use super::{
    client::{Client, ClientError, text_of},
    content::Digest,
    feed::{Feed, FeedEvent},
    management::typed,
    onboarding::Organisation,
};

const FORMAT: &str = "HttpData-PULL";
/// How often a download is begun that breaks off.
const DOWNLOADS_MAX: u32 = 20;

/// A consumer at work: its client, itself, and the provider that it turns to.
pub struct Consumer<'a> {
    /// Acts for the consumer.
    pub client: &'a Client,
    /// The consumer.
    pub consumer: &'a Organisation,
    /// The provider.
    pub provider: &'a Organisation,
    /// The consumer's events.
    pub feed: Feed,
}

impl<'a> Consumer<'a> {
    /// Opens the consumer's feed.
    pub async fn ready(
        client: &'a Client,
        consumer: &'a Organisation,
        provider: &'a Organisation,
    ) -> Result<Self, ClientError> {
        let feed = Feed::open(client, &format!("{}/events", consumer.management())).await?;
        Ok(Self { client, consumer, provider, feed })
    }

    /// Finds the asset in the provider's catalog and gives the first offer for it.
    pub async fn discover(&self, asset: &str) -> Result<Value, ClientError> {
        let (address, did) = (self.provider.protocol(), &self.provider.did);
        let members = json!({
            "counterPartyAddress": address, "counterPartyId": did, "profile": self.consumer.profile,
        });
        let request = typed("CatalogRequest", members);
        let path = format!("{}/catalog/request", self.consumer.management());
        let catalog = self.client.query(&path, &request).await?;
        let dataset = catalog["dataset"].as_array().and_then(|all| all.iter().find(|d| d["@id"] == asset));
        let offer = dataset.and_then(|dataset| dataset["hasPolicy"].get(0)).cloned().ok_or_else(|| {
            ClientError::Waited(format!("the catalog of {} does not offer {asset}", self.provider.name))
        })?;
        Ok(offer)
    }

    /// Negotiates the offer; gives the local id of the agreement.
    pub async fn negotiate(
        &mut self,
        step: &str,
        asset: &str,
        offer: &Value,
    ) -> Result<(String, Vec<String>), ClientError> {
        let address = self.provider.protocol();
        let request = contract_request(self.consumer, (&address, &self.provider.did), asset, offer);
        let path = format!("{}/contractnegotiations", self.consumer.management());
        let answer = self.client.create(&format!("negotiate-{step}"), &path, &request).await?;
        let id = text_of(&answer, "@id", &path)?;
        let event = self.ended("contractNegotiationId", &id, "contract.negotiation.", "finalized").await?;
        let agreement = text_of(&event.payload, "contractAgreementId", "contract.negotiation.finalized")?;
        Ok((agreement, self.messages(&format!("{path}/{id}")).await?))
    }

    /// Transfers under the agreement; gives the id of the transfer process when data may flow.
    pub async fn transfer(
        &mut self,
        step: &str,
        agreement: &str,
    ) -> Result<(String, Vec<String>), ClientError> {
        let id = self.ask_for_transfer(step, agreement).await?;
        self.ended("transferProcessId", &id, "transfer.process.", "started").await?;
        let path = format!("{}/transferprocesses/{id}", self.consumer.management());
        Ok((id, self.messages(&path).await?))
    }

    /// Asks for data under the agreement; gives the id of the transfer process.
    pub async fn ask_for_transfer(&self, step: &str, agreement: &str) -> Result<String, ClientError> {
        let members = json!({
            "counterPartyAddress": self.provider.protocol(), "profile": self.consumer.profile,
            "contractId": agreement, "transferType": FORMAT,
        });
        let path = format!("{}/transferprocesses", self.consumer.management());
        let request = typed("TransferRequest", members);
        let answer = self.client.create(&format!("transfer-{step}"), &path, &request).await?;
        text_of(&answer, "@id", &path)
    }

    /// Downloads what flows; gives the digest of the bytes. A broken download begins again from the start.
    pub async fn download(&self, transfer: &str) -> Result<Digest, ClientError> {
        let flow = format!("/api/dataplane/v1/participants/{}/flows/{transfer}", self.consumer.context);
        let mut attempts = 0;
        loop {
            let edr = self.client.get(&format!("{flow}/edr")).await?;
            let (endpoint, authorization) =
                (text_of(&edr, "endpoint", &flow)?, text_of(&edr, "authorization", &flow)?);
            let mut response = self.client.fetch(&endpoint, &format!("Bearer {authorization}")).await?;
            let expected = response.headers().get(http::header::CONTENT_LENGTH).cloned();
            let digest = Digest::new();
            let broken = loop {
                match response.next().await {
                    Some(Ok(bytes)) => digest.add(&bytes),
                    Some(Err(error)) => break Some(ClientError::from(error)),
                    None => break None,
                }
            };
            let length = expected.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            let received = digest.result().1;
            let broken = match (broken, length) {
                (None, Some(length)) if length != received => {
                    ClientError::Waited(format!("{received} of {length} bytes arrived"))
                }
                (None, _) => return Ok(digest),
                (Some(error), _) => error,
            };
            attempts += 1;
            if attempts == DOWNLOADS_MAX {
                return Err(broken);
            }
        }
    }

    /// Tells the provider that everything has arrived; gives the messages behind the first `told` of the transfer.
    pub async fn complete(&mut self, transfer: &str, told: usize) -> Result<Vec<String>, ClientError> {
        let path =
            format!("/api/dataplane/v1/participants/{}/flows/{transfer}/complete", self.consumer.context);
        self.client.create(&format!("complete-{transfer}"), &path, &json!({})).await?;
        self.ended("transferProcessId", transfer, "transfer.process.", "completed").await?;
        let mut messages =
            self.messages(&format!("{}/transferprocesses/{transfer}", self.consumer.management())).await?;
        Ok(messages.split_off(told.min(messages.len())))
    }

    /// Waits until the process has come to `good`, or has been terminated.
    async fn ended(
        &mut self,
        member: &str,
        id: &str,
        prefix: &str,
        good: &str,
    ) -> Result<FeedEvent, ClientError> {
        let (wanted, bad) = (format!("{prefix}{good}"), format!("{prefix}terminated"));
        let what = format!("{id} is {good}");
        let ends = |event: &FeedEvent| (event.kind == wanted || event.kind == bad) && event.tells(member, id);
        let event = self.feed.wait(&what, ends).await?;
        if event.kind == bad {
            let reason = event.payload["reason"].as_str().unwrap_or("no reason was given");
            return Err(ClientError::Waited(format!("it was terminated: {reason}")));
        }
        Ok(event)
    }

    /// The protocol messages of a process, as its trace tells them.
    async fn messages(&self, path: &str) -> Result<Vec<String>, ClientError> {
        let trace = self.client.get(&format!("{path}/trace")).await?;
        let entries = trace["entries"].as_array().cloned().unwrap_or_default();
        let messages = entries.iter().filter_map(|entry| {
            let (name, direction) = (entry["message"].as_str()?, entry["direction"].as_str()?);
            Some(format!("{} {name}", if direction == "sent" { "→" } else { "←" }))
        });
        Ok(messages.collect())
    }
}

/// What asks for a contract about `asset` at `address`, where the participant `assigner` made the offer.
pub fn contract_request(
    consumer: &Organisation,
    (address, assigner): (&str, &str),
    asset: &str,
    offer: &Value,
) -> Value {
    let mut policy = offer.clone();
    policy["@type"] = json!("Offer");
    policy["assigner"] = json!(assigner);
    policy["target"] = json!(asset);
    let members = json!({"counterPartyAddress": address, "profile": consumer.profile, "policy": policy});
    typed("ContractRequest", members)
}
