//! What a vault keeps, for whom, and for how long.

use std::time::Duration;

use heddle_ids::ParticipantId;
use heddle_jose::{Algorithm, Header, Jwk, Token, Unsigned};
use heddle_store::StoreError;
use heddle_tenancy::{Actor, Recipient};
use heddle_vault::{
    ALIAS_BYTES_MAX, EmbeddedVault, MasterKeySource, SECRET_BYTES_MAX, Secret, Vault, VaultError,
    sign_compact,
};

use crate::support::World;

fn secret(text: &str) -> Secret {
    Secret::from_text(text.to_owned())
}

async fn signs(vault: &EmbeddedVault, world: &World, owner: &str, key: &Jwk) -> bool {
    let scope = world.participant(owner);
    let header = Header::jwt(key.alg().expect("named"), "kid");
    let token = Unsigned::new(header, &serde_json::json!({"a": 1})).expect("an object");
    match sign_compact(vault, &scope, "k", token).await {
        Ok(token) => {
            Token::parse(&token).expect("a token").verify(key).expect("the signature is of the key");
            true
        }
        Err(VaultError::KeyMissing { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn secrets_are_kept_replaced_and_forgotten() {
    let world = World::new().await;
    let (vault, acme) = (world.vault().await, world.participant("acme"));
    assert_eq!(vault.secret(&acme, "s").await.expect("loads"), None);
    vault.store_secret(&acme, "s", &secret("one")).await.expect("stored");
    vault.store_secret(&acme, "s", &secret("two")).await.expect("replaced");
    assert_eq!(vault.secret(&acme, "s").await.expect("opens"), Some(secret("two")));
    assert!(vault.delete_secret(&acme, "s").await.expect("deleted"));
    assert!(!vault.delete_secret(&acme, "s").await.expect("nothing left"));
    assert_eq!(vault.secret(&acme, "s").await.expect("loads"), None);
}

#[tokio::test]
async fn keys_sign_and_never_leave() {
    let world = World::new().await;
    let (vault, acme) = (world.vault().await, world.participant("acme"));
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let key = vault.generate_key(&acme, "k", algorithm).await.expect("made");
        assert_eq!(key.alg(), Some(algorithm));
        assert_eq!(vault.public_key(&acme, "k").await.expect("opens").as_ref(), Some(&key));
        assert!(signs(&vault, &world, "acme", &key).await);
        let asked = vault.secret(&acme, "k").await;
        assert!(matches!(asked, Err(VaultError::Content { expected: "secret", .. })), "{asked:?}");
        let replaced = vault.store_secret(&acme, "k", &secret("x")).await;
        assert!(matches!(replaced, Err(VaultError::Content { .. })), "{replaced:?}");
        let again = vault.generate_key(&acme, "k", algorithm).await;
        assert!(matches!(again, Err(VaultError::Store(StoreError::Duplicate { .. }))), "{again:?}");
        assert!(vault.delete_key(&acme, "k").await.expect("deleted"));
        assert_eq!(vault.public_key(&acme, "k").await.expect("loads"), None);
        assert!(!signs(&vault, &world, "acme", &key).await);
    }
    let rsa = vault.generate_key(&acme, "rsa", Algorithm::Rs256).await;
    assert!(matches!(rsa, Err(VaultError::Key(_))), "{rsa:?}");
    vault.store_secret(&acme, "s", &secret("x")).await.expect("stored");
    assert!(vault.sign(&acme, "s", b"m").await.is_err(), "a secret is no key");
    assert!(vault.delete_key(&acme, "s").await.is_err());
}

#[tokio::test]
async fn owners_do_not_meet() {
    let world = World::new().await;
    let vault = world.vault().await;
    let (acme, other) = (world.participant("acme"), world.participant("other"));
    let tenant = world.scopes.tenant("acme".parse().expect("legal"), Actor::new("test"));
    vault.store_secret(&acme, "s", &secret("of acme")).await.expect("stored");
    let key = vault.generate_key(&acme, "k", Algorithm::Es256).await.expect("made");
    assert!(signs(&vault, &world, "acme", &key).await);
    assert!(!signs(&vault, &world, "other", &key).await, "not even from memory");
    assert_eq!(vault.secret(&other, "s").await.expect("loads"), None);
    assert_eq!(vault.secret(&tenant, "s").await.expect("loads"), None);
    assert_eq!(vault.secret(&world.operator(), "s").await.expect("loads"), None);
    vault.generate_key(&other, "k", Algorithm::Es256).await.expect("the alias is free for another owner");

    assert_eq!(vault.delete_all(&acme).await.expect("deleted"), 2);
    assert!(!signs(&vault, &world, "acme", &key).await);
    assert!(vault.public_key(&other, "k").await.expect("opens").is_some(), "another owner's key stays");
    world.open(&MasterKeySource::Ephemeral).await.expect_err("the check value of the installation stays");
}

#[tokio::test]
async fn a_counter_party_may_have_something_signed_and_nothing_more() {
    let world = World::new().await;
    let vault = world.vault().await;
    let acme = world.participant("acme");
    let key = vault.generate_key(&acme, "k", Algorithm::Es256).await.expect("made");
    vault.store_secret(&acme, "s", &secret("x")).await.expect("stored");
    let verifier = ParticipantId::parse("did:web:verifier").expect("legal");
    let identity = ParticipantId::parse("did:web:acme").expect("legal");
    let recipient = Recipient::new(acme.participant().clone(), identity);
    let grant = world.scopes.presentation_grant(&recipient, verifier, Vec::new());
    assert!(vault.sign(&grant, "k", b"a presentation").await.is_ok());
    assert_eq!(vault.public_key(&grant, "k").await.expect("opens"), Some(key));
    let sealed = vault.seal(&grant, "place", &secret("x")).await.expect("anybody seals");
    assert_eq!(vault.open_sealed(&acme, "place", &sealed).await.expect("the owner opens"), secret("x"));
    let mut transaction = world.store.begin(&grant);
    let refused = [
        vault.secret(&grant, "s").await.map(|_| ()),
        vault.open_sealed(&grant, "place", &sealed).await.map(|_| ()),
        vault.store_secret(&grant, "s", &secret("y")).await,
        vault.delete_secret(&grant, "s").await.map(|_| ()),
        vault.generate_key(&grant, "n", Algorithm::Es256).await.map(|_| ()),
        vault.generate_key_in(&mut transaction, "n", Algorithm::Es256).await.map(|_| ()),
        vault.delete_key(&grant, "k").await.map(|_| ()),
        vault.delete_all(&grant).await.map(|_| ()),
    ];
    for result in refused {
        assert!(matches!(result, Err(VaultError::CounterParty)), "{result:?}");
    }
}

#[tokio::test]
async fn entries_take_part_in_the_callers_commit() {
    let world = World::new().await;
    let (vault, acme) = (world.vault().await, world.participant("acme"));
    let mut dropped = world.store.begin(&acme);
    vault.generate_key_in(&mut dropped, "k", Algorithm::Es256).await.expect("prepared");
    vault.store_secret_in(&mut dropped, "s", &secret("x")).await.expect("prepared");
    drop(dropped);
    assert_eq!(vault.public_key(&acme, "k").await.expect("loads"), None);
    assert_eq!(vault.secret(&acme, "s").await.expect("loads"), None);

    let mut transaction = world.store.begin(&acme);
    let key = vault.generate_key_in(&mut transaction, "k", Algorithm::Es256).await.expect("prepared");
    vault.store_secret_in(&mut transaction, "s", &secret("x")).await.expect("prepared");
    transaction.commit().await.expect("commits");
    assert!(signs(&vault, &world, "acme", &key).await);
    assert_eq!(vault.secret(&acme, "s").await.expect("opens"), Some(secret("x")));
}

#[tokio::test]
async fn a_key_that_another_replica_deleted_or_replaced_ends_within_a_minute() {
    let (world, folder) = (World::new().await, tempfile::tempdir().expect("temporary directory"));
    let source = MasterKeySource::Generated(folder.path().join("master.key"));
    let here = world.open(&source).await.expect("opens");
    let there = world.open(&source).await.expect("opens");
    let acme = world.participant("acme");
    let key = here.generate_key(&acme, "k", Algorithm::Es256).await.expect("made");
    assert!(signs(&here, &world, "acme", &key).await);

    there.delete_key(&acme, "k").await.expect("deleted");
    world.clock.advance(Duration::from_secs(60));
    assert!(!signs(&here, &world, "acme", &key).await);

    let key = here.generate_key(&acme, "k", Algorithm::Es256).await.expect("made");
    assert!(signs(&here, &world, "acme", &key).await);
    there.delete_key(&acme, "k").await.expect("deleted");
    let newer = there.generate_key(&acme, "k", Algorithm::Es256).await.expect("made");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(
        here.public_key(&acme, "k").await.expect("opens"),
        Some(newer.clone()),
        "same alias and version"
    );
    world.clock.advance(Duration::from_secs(60));
    assert!(signs(&here, &world, "acme", &newer).await, "a key that is still there goes on working");
}

#[tokio::test]
async fn sizes_are_bounded_and_nothing_is_shown() {
    let world = World::new().await;
    let (vault, acme) = (world.vault().await, world.participant("acme"));
    for alias in [String::new(), "a\nb".to_owned(), "x".repeat(ALIAS_BYTES_MAX + 1)] {
        assert!(matches!(vault.store_secret(&acme, &alias, &secret("x")).await, Err(VaultError::Alias)));
        assert!(matches!(vault.sign(&acme, &alias, b"m").await, Err(VaultError::Alias)));
    }
    let largest = Secret::new(vec![1; SECRET_BYTES_MAX]);
    vault.store_secret(&acme, "s", &largest).await.expect("stored");
    assert_eq!(vault.secret(&acme, "s").await.expect("opens"), Some(largest));
    let larger = vault.store_secret(&acme, "s", &Secret::new(vec![b'z'; SECRET_BYTES_MAX + 1])).await;
    let error = larger.expect_err("too large");
    assert!(!error.to_string().contains("zz") && !format!("{error:?} {vault:?}").contains("zz"));
}
