//! Tokens that nobody was given.

use heddle_e2e::{Fetched, Key};

use crate::{assert_refused, market};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_token_a_flow_is_answered_with_one_clear_refusal() {
    let market = market("wrong").await;
    let digest = market.provider.publish("cloth").await;
    let agreement = market.consumer.agree(&market.provider, "cloth").await;
    let (_, key) = market.flow("once", &agreement).await;
    let token = &key.token;
    assert_refused(&key.fetch_with(None).await, "no Authorization");
    let last = if token.ends_with('A') { 'B' } else { 'A' };
    let altered = format!("{}{last}", &token[..token.len() - 1]);
    let values = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer garbage".to_owned(),
        "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned(),
        format!("Bearer {}", "x".repeat(4000)),
        format!("Bearer {token}x"),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer {altered}"),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {token} {token}"),
        format!("Basic {token}"),
        token.clone(),
    ];
    for value in values {
        assert_refused(&key.fetch_with(Some(&value)).await, &format!("'{value}'"));
    }
    // A flow that never was is answered the same, so nobody can find out which ones there are.
    let nowhere = Key { endpoint: format!("{}x", key.endpoint), token: token.clone() };
    assert_eq!(nowhere.fetch().await, key.fetch_with(Some(&format!("Bearer {altered}"))).await);
    assert_eq!(key.fetch().await, Fetched::Bytes(digest), "and nothing of that has done any harm");
    market.server.stop().await;
}
