//! A token opens nothing once its flow has been suspended, completed or terminated, whoever has done it.

use heddle_e2e::{Fetched, Key, Market, Party};

use crate::{assert_refused, market};

/// Who gives the command.
#[derive(Debug, Clone, Copy)]
enum By {
    Provider,
    Consumer,
}

const BOTH: [By; 2] = [By::Provider, By::Consumer];

/// Steers a transfer from one side, and waits until both sides have heard of it.
async fn steer(market: &Market, by: By, command: &str, (here, there): (&str, &str), event: &str) {
    match by {
        By::Consumer => market.consumer.steer(command, here).await,
        By::Provider => market.provider.steer(command, there).await,
    }
    let kind = format!("transfer.process.{event}");
    market.provider.hears(&kind, there).await;
    market.consumer.hears(&kind, here).await;
}

/// A flow whose bytes come through: the ids of the transfer on both sides, and what opens it.
async fn open(market: &Market, step: &str, agreement: &str, digest: &str) -> (String, String, Key) {
    let (here, key) = market.flow(step, agreement).await;
    assert_eq!(key.fetch().await, Fetched::Bytes(digest.to_owned()), "{step}: before");
    let there = market.provider.counterpart(&here).await;
    (here, there, key)
}

/// Neither the token nor a new reference is to be had.
async fn assert_shut(consumer: &Party, transfer: &str, key: &Key, what: &str) {
    assert_refused(&key.fetch().await, what);
    let edr = consumer.client.get(&format!("{}/edr", consumer.flow(transfer))).await;
    let refusal = edr.expect_err("there is no reference any more");
    assert_eq!(refusal.status(), Some(409), "{what}: {refusal}");
    assert!(refusal.to_string().contains("There is nothing to fetch"), "{what}: {refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_opens_a_suspended_flow_and_after_its_resumption_only_a_new_one_does() {
    let market = market("suspended").await;
    let digest = market.provider.publish("cloth").await;
    let agreement = market.consumer.agree(&market.provider, "cloth").await;
    for by in BOTH {
        let what = format!("suspended by the {by:?}");
        let (here, there, key) = open(&market, &format!("{by:?}"), &agreement, &digest).await;
        steer(&market, by, "suspend", (&here, &there), "suspended").await;
        assert_shut(&market.consumer, &here, &key, &what).await;
        steer(&market, by, "resume", (&here, &there), "started").await;
        let renewed = market.consumer.key(&here).await;
        assert_ne!(renewed.token, key.token, "{what}: the token is a new one");
        assert_eq!(renewed.fetch().await, Fetched::Bytes(digest.clone()), "{what}: after the resumption");
        assert_refused(&key.fetch().await, &format!("{what}: the old token after the resumption"));
    }
    market.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_opens_a_terminated_flow() {
    let market = market("terminated").await;
    let digest = market.provider.publish("cloth").await;
    let agreement = market.consumer.agree(&market.provider, "cloth").await;
    for by in BOTH {
        let what = format!("terminated by the {by:?}");
        let (here, there, key) = open(&market, &format!("{by:?}"), &agreement, &digest).await;
        steer(&market, by, "terminate", (&here, &there), "terminated").await;
        assert_shut(&market.consumer, &here, &key, &what).await;
        for (party, id) in [(&market.consumer, &here), (&market.provider, &there)] {
            let shown = party.shown("transferprocesses", id).await;
            assert_eq!(shown["errorDetail"], "terminate, as a test", "{what}: {shown}");
        }
    }
    market.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_opens_a_flow_that_was_suspended_and_then_terminated() {
    let market = market("both").await;
    let digest = market.provider.publish("cloth").await;
    let agreement = market.consumer.agree(&market.provider, "cloth").await;
    let (here, there, key) = open(&market, "once", &agreement, &digest).await;
    steer(&market, By::Provider, "suspend", (&here, &there), "suspended").await;
    steer(&market, By::Consumer, "terminate", (&here, &there), "terminated").await;
    assert_shut(&market.consumer, &here, &key, "suspended, then terminated").await;
    market.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_opens_a_completed_flow() {
    let market = market("completed").await;
    let digest = market.provider.publish("cloth").await;
    let agreement = market.consumer.agree(&market.provider, "cloth").await;
    let (here, there, key) = open(&market, "once", &agreement, &digest).await;
    let complete = format!("{}/complete", market.consumer.flow(&here));
    market.consumer.client.query(&complete, &serde_json::json!({})).await.expect("it is complete");
    market.provider.hears("transfer.process.completed", &there).await;
    market.consumer.hears("transfer.process.completed", &here).await;
    assert_shut(&market.consumer, &here, &key, "completed").await;
    // The agreement stands, and a new transfer under it has a token of its own.
    let (_, _, next) = open(&market, "next", &agreement, &digest).await;
    let mixed = Key { endpoint: next.endpoint.clone(), token: key.token.clone() };
    assert_refused(&mixed.fetch().await, "the token of the completed flow at the next one");
    market.server.stop().await;
}
