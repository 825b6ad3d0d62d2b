//! An asset is offered, and its bytes were forgotten.

use heddle::demo::publishing;
use serde_json::json;

use crate::{Market, assert_ended};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_of_an_asset_without_a_source_ends_with_that_reason_on_both_sides() {
    let mut market = Market::open("sourceless").await;
    let (provider, consumer) = (&market.provider, &market.consumer);
    publishing::offer(&provider.client, &provider.organisation, "cloth").await.expect("it is offered");
    let agreement = consumer.agree(provider, "cloth").await;
    let request = json!({
        "@context": ["https://w3id.org/edc/connector/management/v2"], "@type": "TransferRequest",
        "counterPartyAddress": provider.organisation.protocol(), "profile": consumer.organisation.profile,
        "contractId": agreement, "transferType": "HttpData-PULL",
    });
    let path = format!("{}/transferprocesses", consumer.organisation.management());
    let answer = consumer.client.create("transfer", &path, &request).await.expect("it is taken");
    let here = answer["@id"].as_str().expect("an id").to_owned();
    let reason = "the provider's data plane refuses: dataset 'cloth' has no source; upload its bytes";
    assert_ended(&mut market.consumer, "transferprocesses", &here, &[reason]).await;
    let own = "the data plane data-plane refuses: dataset 'cloth' has no source; upload its bytes";
    let there = market.provider.counterpart(&here).await;
    assert_ended(&mut market.provider, "transferprocesses", &there, &[own]).await;
    // With a source, the agreement is as good as ever.
    let (provider, consumer) = (&market.provider, &market.consumer);
    let digest = provider.upload("cloth").await;
    let transfer = consumer.transfer(provider, "again", &agreement).await;
    assert_eq!(consumer.key(&transfer).await.fetch().await, heddle_e2e::Fetched::Bytes(digest));
    market.server.stop().await;
}
