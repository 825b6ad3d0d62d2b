//! A server that dies while bytes flow. Nothing is committed by a download, so another request of the same moment
//! is what it dies of; until then the client leaves the stream unread and so holds it open.

use std::io::Write as _;

use futures::StreamExt as _;
use heddle::demo::{
    Client, Parties, content::Content, onboarding::Organisation, publishing, sharing::Consumer,
};
use heddle_e2e::{
    Scene,
    dying::{Doom, House, Side},
};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::{
    SERVER,
    census::Census,
    story::{dies, tell},
};

/// More than sockets buffer on both ends.
const MEBIBYTES: u8 = 64;
const RUN: &str = "bytes";
const ASSET: &str = "large";
/// An asset that is made while bytes flow.
const BYSTANDER: &str = "bystander";

/// Shares a large file; the server dies on `side` of a commit that comes while it flows.
pub async fn survives(side: Side) {
    let house = House::new(SERVER, "");
    let mut life = house.start(Some(&Doom::new(side, &format!("asset/{BYSTANDER}")))).await;
    let scene = Scene::found(&house.credentials(), RUN).await;
    let parties =
        Parties { provider: scene.onboard("provider").await, consumer: scene.onboard("consumer").await };
    let provider = parties.provider.client(&scene.operator);
    let consumer = parties.consumer.client(&scene.operator);
    let file = large_file();
    let content = Content::of_file(file.path()).await.expect("it can be read");
    let published = publishing::publish(&provider, &parties.provider, ASSET, &content).await;
    let published = published.expect("it is published").result();
    let mut party = Consumer::ready(&consumer, &parties.consumer, &parties.provider).await.expect("a feed");
    let offer = party.discover(ASSET).await.expect("it is offered");
    let (agreement, _) = party.negotiate(RUN, ASSET, &offer).await.expect("it is agreed");
    let (transfer, messages) = party.transfer(RUN, &agreement).await.expect("it starts");

    let mut flowing = open(&consumer, &parties.consumer, &transfer).await;
    let first = flowing.next().await.expect("bytes").expect("bytes").len();
    let over_death = async {
        dies("download", &mut life).await;
        let mut received = first;
        let broken = loop {
            match flowing.next().await {
                Some(Ok(bytes)) => received += bytes.len(),
                other => break other,
            }
        };
        assert!(matches!(broken, Some(Err(_))), "the stream ended as if it were whole");
        tell(&format!("  the stream broke after {received} of {} bytes", published.1));
        assert!(received > 0 && (received as u64) < published.1);
        house.start(None).await
    };
    let (second, ()) = tokio::join!(over_death, make_bystander(&provider, &parties.provider));

    let received =
        party.download(&transfer).await.unwrap_or_else(|error| panic!("{error}\n{}", house.told()));
    assert_eq!(received.result(), published);
    party.complete(&transfer, messages.len()).await.expect("it is completed");
    let census = Census::take(&scene.operator, &parties).await;
    tell(&format!("  {census}"));
    census.assert_nothing_is_there_twice();
    second.kill().await;
}

/// Different in every mebibyte.
fn large_file() -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    for byte in 0..MEBIBYTES {
        file.write_all(&vec![byte; 1024 * 1024]).expect("there is room");
    }
    file
}

async fn open(
    client: &Client,
    consumer: &Organisation,
    transfer: &str,
) -> heddle_outbound::StreamingResponse {
    let path = format!("/api/dataplane/v1/participants/{}/flows/{transfer}/edr", consumer.context);
    let edr = client.get(&path).await.expect("the transfer has started");
    let member = |name: &str| edr[name].as_str().expect("an address and how to use it").to_owned();
    let authorization = format!("Bearer {}", member("authorization"));
    client.fetch(&member("endpoint"), &authorization).await.expect("the data answers")
}

/// Makes an asset; the answer may come from the server's next life.
async fn make_bystander(client: &Client, provider: &Organisation) {
    let body = json!({
        "@context": ["https://w3id.org/edc/connector/management/v2"], "@type": "Asset", "@id": BYSTANDER,
        "properties": {"name": "A bystander"},
    });
    let path = format!("{}/assets", provider.management());
    client.create(BYSTANDER, &path, &body).await.expect("it is made, before or after the death");
}
