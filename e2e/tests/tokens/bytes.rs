//! A large file goes through whole.

use std::io::Write;

use heddle::demo::content::Content;

use crate::market;

const CHUNK_BYTES: usize = 1024 * 1024;
const CHUNKS: u32 = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_64_mib_arrives_as_it_was() {
    let market = market("large").await;
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    for number in 0..CHUNKS {
        // No two chunks are the same, so that a lost, doubled or exchanged one shows.
        let chunk: Vec<u8> =
            (0..CHUNK_BYTES as u32 / 4).flat_map(|word| (word ^ (number << 20)).to_le_bytes()).collect();
        file.write_all(&chunk).expect("there is room");
    }
    let content = Content::of_file(file.path()).await.expect("it is readable");
    assert_eq!(content.length(), u64::from(CHUNKS) * CHUNK_BYTES as u64);
    let sent = market.provider.publish_content("large", &content).await;
    let agreement = market.consumer.agree(&market.provider, "large").await;
    let mut consumer = market.consumer.towards(&market.provider).await;
    let (transfer, _) = consumer.transfer("large", &agreement).await.expect("it starts");
    let received = consumer.download(&transfer).await.expect("it arrives");
    assert_eq!(received.result(), (sent, content.length()));
    market.server.stop().await;
}
