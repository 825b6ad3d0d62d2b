//! A token opens its own flow alone.

use heddle_e2e::{Fetched, Key, Market};

use crate::{assert_refused, market};

/// Each key opens its own flow, and none another.
async fn assert_apart(flows: &[(&str, &Key, &String)]) {
    for (name, key, digest) in flows {
        assert_eq!(key.fetch().await, Fetched::Bytes((*digest).clone()), "{name} opens its own flow");
        for (other, strange, _) in flows.iter().filter(|(other, ..)| other != name) {
            let mixed = Key { endpoint: key.endpoint.clone(), token: strange.token.clone() };
            assert_refused(&mixed.fetch().await, &format!("the token of {other} at the address of {name}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_one_flow_opens_no_other_flow_of_the_same_two_parties() {
    let market = market("apart").await;
    let (cloth, thread) = (market.provider.publish("cloth").await, market.provider.publish("thread").await);
    let of_cloth = market.consumer.agree(&market.provider, "cloth").await;
    let of_thread = market.consumer.agree(&market.provider, "thread").await;
    let (_, first) = market.flow("first", &of_cloth).await;
    let (_, again) = market.flow("again", &of_cloth).await;
    let (_, other) = market.flow("other", &of_thread).await;
    assert_apart(&[("cloth", &first, &cloth), ("cloth again", &again, &cloth), ("thread", &other, &thread)])
        .await;
    market.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_no_flow_of_another_participant() {
    let market = market("others").await;
    let Market { scene, provider, consumer, .. } = &market;
    // The third one buys the same asset, and sells one of its own under the same name.
    let third = scene.onboard("dyer").await;
    let (cloth, dyed) = (provider.publish("cloth").await, third.publish("cloth").await);
    let ours = consumer.agree(provider, "cloth").await;
    let theirs = third.agree(provider, "cloth").await;
    let (_, own) = market.flow("own", &ours).await;
    let bought = third.key(&third.transfer(provider, "bought", &theirs).await).await;
    let resold = consumer.agree(&third, "cloth").await;
    let sold = consumer.key(&consumer.transfer(&third, "sold", &resold).await).await;
    assert_apart(&[
        ("the consumer's", &own, &cloth),
        ("the other consumer's", &bought, &cloth),
        ("the other provider's", &sold, &dyed),
    ])
    .await;
    market.server.stop().await;
}
