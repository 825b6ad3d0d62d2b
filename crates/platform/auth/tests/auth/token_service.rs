//! Clients, their tokens, and the keys that sign them.

use std::time::Duration;

use heddle_auth::{
    Area, ClientCredentials, ClientError, Forbidden, NewClient, RequiredScope, Role, TokenRefusal,
};
use heddle_clock::Timestamp;
use heddle_ids::ParticipantContextId;
use heddle_jose::Token;
use heddle_store::StoreError;
use heddle_tenancy::Actor;
use heddle_vault::Secret;

use crate::support::{AUDIENCE, NOW, World, request};

const ASSETS_WRITE: RequiredScope = RequiredScope::write("management-api", "assets");

#[tokio::test]
async fn a_token_speaks_both_dialects_and_opens_its_own_context_alone() {
    let world = World::new().await;
    let client = world.client(&world.participant("acme"), NewClient::participant()).await.expect("made");
    let given = world.token(&client).await.expect("given");

    let token = Token::parse(&given.token).expect("a token");
    assert_eq!(token.header().typ.as_deref(), Some("at+jwt"));
    let claims = token.claims_unverified();
    for (name, value) in [
        ("iss", AUDIENCE),
        ("aud", AUDIENCE),
        ("sub", "acme"),
        ("participant_context_id", "acme"),
        ("role", "participant"),
        ("client_id", client.client_id.as_str()),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["iat"], NOW);
    assert_eq!(claims["exp"], NOW + 600);
    assert!(claims.get("tenant_id").is_none());
    assert!(given.scope.contains("management-api:read management-api:write"), "{}", given.scope);

    let principal = world.auth.authenticate(&given.token).await.expect("accepted");
    assert_eq!(principal.role(), Some(Role::Participant));
    let context = |id: &str| ParticipantContextId::parse(id).expect("legal");
    let own = world.auth.participant(&principal, &context("acme"), &ASSETS_WRITE).expect("its own");
    assert_eq!(own.participant().as_str(), "acme");
    // One of these exists, the other does not.
    world.client(&world.participant("other"), NewClient::participant()).await.expect("made");
    for other in ["other", "nobody"] {
        let refused = world.auth.participant(&principal, &context(other), &ASSETS_WRITE).map(|_| ());
        assert_eq!(refused, Err(Forbidden::Owner), "{other}");
    }
}

#[tokio::test]
async fn tokens_of_operators_and_tenants_name_no_participant() {
    let world = World::new().await;
    let admin = world.client(&world.operator(), NewClient::admin()).await.expect("made");
    let given = world.token(&admin).await.expect("given");
    let principal = world.auth.authenticate(&given.token).await.expect("accepted");
    assert_eq!(principal.subject(), admin.client_id.as_str());
    assert_eq!((principal.participant(), principal.tenant()), (None, None));
    let participants = RequiredScope::admin("management-api").within(Area::Participants);
    assert!(world.auth.operator(&principal, &participants).is_ok());

    let tenant = world.scopes.tenant("t1".parse().expect("legal"), Actor::new("test"));
    let client = world.client(&tenant, NewClient::tenant()).await.expect("made");
    let given = world.token(&client).await.expect("given");
    let principal = world.auth.authenticate(&given.token).await.expect("accepted");
    assert_eq!(principal.tenant().map(|tenant| tenant.as_str()), Some("t1"));
    assert_eq!(principal.participant(), None);

    // A service whose client id is the name of a context is still not that context.
    let named = NewClient::service(vec!["management-api:write".to_owned()]);
    let named = named.with_client_id("acme".parse().expect("legal"));
    let client = world.client(&world.operator(), named).await.expect("made");
    let given = world.token(&client).await.expect("given");
    let principal = world.auth.authenticate(&given.token).await.expect("accepted");
    let acme = ParticipantContextId::parse("acme").expect("legal");
    assert!(world.auth.participant(&principal, &acme, &ASSETS_WRITE).is_err());
}

#[tokio::test]
async fn wrong_secrets_unknown_clients_and_ended_ones_are_not_told_apart() {
    let world = World::new().await;
    let scope = world.participant("acme");
    let client = world.client(&scope, NewClient::participant()).await.expect("made");
    let end = Timestamp::from_seconds(NOW + 60);
    let ending = world.client(&scope, NewClient::participant().expiring_at(end)).await.expect("made");
    assert!(world.token(&ending).await.is_ok());
    world.clock.advance(Duration::from_secs(60));

    let wrong = ClientCredentials { client_secret: ending.client_secret.clone(), ..client.clone() };
    let empty = ClientCredentials { client_secret: Secret::new(Vec::new()), ..client.clone() };
    let unknown = ClientCredentials { client_id: "nobody".parse().expect("legal"), ..client.clone() };
    for refused in [&wrong, &empty, &unknown, &ending] {
        assert_eq!(world.token(refused).await.map(|_| ()), Err(TokenRefusal::InvalidClient));
    }
    assert!(world.token(&client).await.is_ok());

    for _ in 0..10 {
        assert!(world.token(&wrong).await.is_err());
    }
    assert!(matches!(world.token(&wrong).await, Err(TokenRefusal::TooManyAttempts { .. })));
    assert!(world.token(&client).await.is_ok(), "the right secret is not locked out");
}

#[tokio::test]
async fn two_clients_of_a_context_live_at_a_time() {
    let world = World::new().await;
    let scope = world.participant("acme");
    let first = world.client(&scope, NewClient::participant()).await.expect("made");
    let end = Timestamp::from_seconds(NOW + 60);
    let second = world.client(&scope, NewClient::participant().expiring_at(end)).await.expect("made");
    assert!(world.token(&first).await.is_ok() && world.token(&second).await.is_ok());
    let third = world.client(&scope, NewClient::participant()).await;
    assert!(matches!(third, Err(ClientError::TooMany { .. })), "{third:?}");
    world
        .client(&world.participant("other"), NewClient::participant())
        .await
        .expect("another context has its own");

    world.clock.advance(Duration::from_secs(60));
    let third = world.client(&scope, NewClient::participant()).await.expect("the place of the ended one");
    assert_eq!(world.token(&second).await.map(|_| ()), Err(TokenRefusal::InvalidClient));

    let mut transaction = world.store.begin(&scope);
    assert!(world.service.delete_client(&mut transaction, &first.client_id).await.expect("loads"));
    transaction.commit().await.expect("commits");
    assert_eq!(world.token(&first).await.map(|_| ()), Err(TokenRefusal::InvalidClient));
    assert!(world.token(&third).await.is_ok());
    let left = world.service.clients(&mut world.store.begin(&scope)).await.expect("lists");
    assert_eq!(left.iter().map(|client| client.client_id()).collect::<Vec<_>>(), [&third.client_id]);

    // Nobody deletes or replaces the client of another owner.
    let other = world.participant("other");
    let mut transaction = world.store.begin(&other);
    assert!(!world.service.delete_client(&mut transaction, &third.client_id).await.expect("loads"));
    let stolen = NewClient::participant().with_client_id(third.client_id.clone());
    let stolen = world.client(&other, stolen).await;
    assert!(matches!(stolen, Err(ClientError::Store(StoreError::Duplicate { .. }))), "{stolen:?}");
    assert!(world.token(&third).await.is_ok());
}

#[tokio::test]
async fn two_that_are_made_at_the_same_moment_do_not_exceed_the_limit() {
    let world = World::new().await;
    let scope = world.participant("acme");
    world.client(&scope, NewClient::participant()).await.expect("made");
    let (mut a, mut b) = (world.store.begin(&scope), world.store.begin(&scope));
    world.service.create_client(&mut a, NewClient::participant()).await.expect("a place is free");
    world.service.create_client(&mut b, NewClient::participant()).await.expect("a place is free");
    a.commit().await.expect("the first gets it");
    assert!(matches!(b.commit().await, Err(StoreError::Duplicate { .. })));
}

#[tokio::test]
async fn clients_cannot_be_what_their_owner_is_not() {
    let world = World::new().await;
    let acme = world.participant("acme");
    let same = NewClient::participant().with_client_id("acme".parse().expect("legal"));
    assert!(matches!(world.client(&acme, same).await, Err(ClientError::ContextId { .. })));
    for new in [NewClient::admin(), NewClient::provisioner(), NewClient::service(Vec::new())] {
        assert!(matches!(world.client(&acme, new).await, Err(ClientError::Role { .. })));
    }
    let participant = world.client(&world.operator(), NewClient::participant()).await;
    assert!(matches!(participant, Err(ClientError::Role { .. })));
    let malformed = NewClient::participant().with_scopes(vec!["everything".to_owned()]);
    assert!(matches!(world.client(&acme, malformed).await, Err(ClientError::Scope { .. })));
}

#[tokio::test]
async fn scopes_can_be_narrowed_and_never_widened() {
    let world = World::new().await;
    let client = world.client(&world.participant("acme"), NewClient::participant()).await.expect("made");
    let ask = |scope: &'static str| world.service.token(request(&client, Some(scope)));
    let narrow = ask("management-api:assets:read").await.expect("among its scopes");
    assert_eq!(narrow.scope, "management-api:assets:read");
    let principal = world.auth.authenticate(&narrow.token).await.expect("accepted");
    let acme = ParticipantContextId::parse("acme").expect("legal");
    let refused = world.auth.participant(&principal, &acme, &ASSETS_WRITE).map(|_| ());
    assert_eq!(refused, Err(Forbidden::Scope(ASSETS_WRITE)));
    for wide in ["management-api:admin", "tenant-manager-api:read", "management-api:read nonsense"] {
        assert_eq!(ask(wide).await.map(|_| ()), Err(TokenRefusal::InvalidScope), "{wide}");
    }
}

#[tokio::test]
async fn secrets_are_neither_stored_nor_shown() {
    let world = World::new().await;
    let scope = world.participant("acme");
    let client = world.client(&scope, NewClient::participant()).await.expect("made");
    let secret = client.client_secret.expose_text().expect("text").to_owned();
    assert_eq!(secret.len(), 43);
    let given = world.token(&client).await.expect("given");
    let records = world.service.clients(&mut world.store.begin(&scope)).await.expect("lists");
    let stored = serde_json::to_string(&records).expect("json");
    assert!(!stored.contains(&secret));
    let hash = serde_json::to_value(&records[0]).expect("json")["secret"].as_str().expect("text").to_owned();
    let shown = format!("{client:?} {records:?} {given:?} {:?} {:?}", request(&client, None), world.service);
    for hidden in [&secret, &hash, &given.token] {
        assert!(!shown.contains(hidden.as_str()), "{shown}");
    }
}
