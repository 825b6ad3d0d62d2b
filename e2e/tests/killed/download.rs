//! A server that dies while bytes flow. Nothing is committed by a download, so another request of the same moment
//! is what it dies of; until then the client leaves the stream unread and so holds it open.

use std::io::Write as _;

use futures::StreamExt as _;
use heddle::demo::{Parties, content::Content, management::typed};
use heddle_e2e::{
    Census, Party, Scene,
    dying::{Doom, House, Side},
};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::{
    SERVER,
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
    let (provider, consumer) = (scene.onboard("provider").await, scene.onboard("consumer").await);
    let file = large_file();
    let content = Content::of_file(file.path()).await.expect("it can be read");
    let published = (provider.publish_content(ASSET, &content).await, content.length());
    let agreement = consumer.agree(&provider, ASSET).await;
    let mut sharing = consumer.towards(&provider).await;
    let (transfer, messages) = sharing.transfer(RUN, &agreement).await.expect("it starts");

    let mut flowing = consumer.key(&transfer).await.open().await;
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
    let (second, ()) = tokio::join!(over_death, make_bystander(&provider));

    let received =
        sharing.download(&transfer).await.unwrap_or_else(|error| panic!("{error}\n{}", house.told()));
    assert_eq!(received.result(), published);
    sharing.complete(&transfer, messages.len()).await.expect("it is completed");
    let (provider, consumer) = (provider.organisation.clone(), consumer.organisation.clone());
    let census = Census::take(&scene.operator, &Parties { provider, consumer }).await;
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

/// Makes an asset; the answer may come from the server's next life.
async fn make_bystander(provider: &Party) {
    let body = typed("Asset", json!({"@id": BYSTANDER, "properties": {"name": "A bystander"}}));
    let path = format!("{}/assets", provider.organisation.management());
    let made = provider.client.create(BYSTANDER, &path, &body).await;
    made.expect("it is made, before or after the death");
}
