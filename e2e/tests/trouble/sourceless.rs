//! An asset is offered, and its bytes were forgotten.

use heddle::demo::founding::CREDENTIAL;
use heddle_e2e::{Fetched, Market};

use crate::{assert_ended, market};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_of_an_asset_without_a_source_ends_with_that_reason_on_both_sides() {
    let market = market("sourceless").await;
    let Market { provider, consumer, .. } = &market;
    provider.offer("cloth", (Some(CREDENTIAL), None)).await;
    let agreement = consumer.agree(provider, "cloth").await;
    let here = consumer.towards(provider).await.ask_for_transfer("once", &agreement).await;
    let here = here.expect("it is taken");
    let reason = "the provider's data plane refuses: dataset 'cloth' has no source; upload its bytes";
    assert_ended(consumer, "transferprocesses", &here, &[reason]).await;
    let own = "the data plane data-plane refuses: dataset 'cloth' has no source; upload its bytes";
    let there = provider.counterpart(&here).await;
    assert_ended(provider, "transferprocesses", &there, &[own]).await;
    // With a source, the agreement is as good as ever.
    let digest = provider.upload("cloth").await;
    let (_, key) = market.flow("again", &agreement).await;
    assert_eq!(key.fetch().await, Fetched::Bytes(digest));
    market.server.stop().await;
}
