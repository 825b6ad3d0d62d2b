//! Tokens end with whom they were given to, on every replica and at once.

use std::time::Duration;

use heddle_auth::{AudienceRule, Authenticator, NewClient, TrustedIssuer, Unauthenticated};
use heddle_jose::Algorithm;
use serde_json::json;
use std::sync::Arc;

use crate::support::{Idp, NOW, World, scopes};

#[tokio::test]
async fn a_token_ends_with_its_client() {
    let world = World::new().await;
    let replica = world.replica().await;
    let scope = world.participant("acme");
    let (first, second) = (
        world.client(&scope, NewClient::participant()).await.expect("made"),
        world.client(&scope, NewClient::participant()).await.expect("made"),
    );
    let of_first = world.token(&first).await.expect("given").token;
    let of_second = world.token(&second).await.expect("given").token;
    for auth in [&world.auth, &replica.auth] {
        assert!(auth.authenticate(&of_first).await.is_ok(), "and it is remembered");
    }
    let mut transaction = world.store.begin(&scope);
    assert!(world.service.delete_client(&mut transaction, &first.client_id).await.expect("loads"));
    transaction.commit().await.expect("commits");
    for auth in [&world.auth, &replica.auth] {
        assert_eq!(auth.authenticate(&of_first).await, Err(Unauthenticated::Ended));
        assert!(auth.authenticate(&of_second).await.is_ok(), "the other client is used on");
    }

    // Another secret under the same id, for the same participant or for a successor, is another client.
    let again = NewClient::participant().with_client_id(first.client_id.clone());
    let again = world.client(&scope, again).await.expect("made");
    assert_eq!(world.auth.authenticate(&of_first).await, Err(Unauthenticated::Ended));
    let token = world.token(&again).await.expect("given").token;
    assert!(world.auth.authenticate(&token).await.is_ok());
}

#[tokio::test]
async fn a_participant_that_was_removed_leaves_no_token_that_a_successor_would_answer_to() {
    let world = World::new().await;
    let scope = world.participant("acme");
    let idp = Idp::new("https://idp.example", Algorithm::Es256);
    let trusted = TrustedIssuer::external(idp.name.as_str(), AudienceRule::Unchecked, Arc::new(idp.keys()));
    let trusted = trusted.ending_with_participants(world.store.clone());
    let issuers = vec![world.service.trusted_issuer(), trusted];
    let auth = Authenticator::new(scopes(), issuers, world.store.environment().clone());

    let begin = async || {
        let mut transaction = world.store.begin(&scope);
        world.service.begin_participant(&mut transaction).await.expect("looks");
        transaction.commit().await.expect("commits");
    };
    begin().await;
    let client = world.client(&scope, NewClient::participant()).await.expect("made");
    let built_in = world.token(&client).await.expect("given").token;
    // Given before the context was made: the first one under its id is inherited from nobody.
    let foreign = idp.token(&json!({"iat": NOW - 60, "exp": NOW + 3600}));
    let of_other = idp.token(&json!({"sub": "other", "iat": NOW - 60, "exp": NOW + 3600}));
    let administrator = idp.token(&json!({"role": "admin", "iat": NOW - 60, "exp": NOW + 3600}));
    for token in [&built_in, &foreign, &of_other, &administrator] {
        assert!(auth.authenticate(token).await.is_ok());
    }

    world.clock.advance(Duration::from_secs(10));
    let mut transaction = world.store.begin(&scope);
    world.service.end_participant(&mut transaction).await.expect("looks");
    transaction.commit().await.expect("commits");
    let check = async |when: &str| {
        for token in [&built_in, &foreign] {
            assert_eq!(auth.authenticate(token).await, Err(Unauthenticated::Ended), "{when}");
        }
        for token in [&of_other, &administrator] {
            assert!(auth.authenticate(token).await.is_ok(), "{when}: somebody else's");
        }
    };
    check("removed").await;
    // One that the provider gives meanwhile reaches no successor either.
    let meanwhile = idp.token(&json!({"iat": NOW + 15, "exp": NOW + 3600}));
    world.clock.advance(Duration::from_secs(10));
    begin().await;
    check("made again").await;
    assert_eq!(auth.authenticate(&meanwhile).await, Err(Unauthenticated::Ended));

    let client = world.client(&scope, NewClient::participant()).await.expect("made");
    let built_in = world.token(&client).await.expect("given").token;
    let foreign = idp.token(&json!({"iat": NOW + 20, "exp": NOW + 3600}));
    for token in [built_in, foreign] {
        assert!(auth.authenticate(&token).await.is_ok(), "the successor's own");
    }
}
