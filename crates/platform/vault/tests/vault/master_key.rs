//! A server and its master key, over restarts.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use heddle_vault::{MASTER_KEY_BYTES, MasterKeyError, MasterKeySource, Secret, Vault, VaultError};

use crate::support::World;

fn write_key(path: &Path, byte: u8) {
    fs::write(path, [byte; MASTER_KEY_BYTES]).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("chmod");
}

#[tokio::test]
async fn what_was_stored_opens_after_a_restart_with_the_same_key() {
    let (world, folder) = (World::new().await, tempfile::tempdir().expect("temporary directory"));
    let source = MasterKeySource::Generated(folder.path().join("master.key"));
    let acme = world.participant("acme");
    let secret = Secret::from_text("open sesame".to_owned());
    let vault = world.open(&source).await.expect("opens");
    vault.store_secret(&acme, "s", &secret).await.expect("stored");
    drop(vault);
    let vault = world.open(&source).await.expect("opens again");
    assert_eq!(vault.secret(&acme, "s").await.expect("opens"), Some(secret));
}

#[tokio::test]
async fn a_wrong_key_is_a_sentence_at_start() {
    let (world, folder) = (World::new().await, tempfile::tempdir().expect("temporary directory"));
    let path = folder.path().join("master.key");
    let source = MasterKeySource::Provided(path.clone());
    write_key(&path, 1);
    world.open(&source).await.expect("opens");
    write_key(&path, 2);
    let error = world.open(&source).await.expect_err("another key");
    assert!(matches!(error, VaultError::MasterKey(MasterKeyError::Wrong { .. })), "{error:?}");
    let sentence = error.to_string();
    assert!(
        sentence.starts_with(&format!("the master key in {} is not the one", path.display())),
        "{sentence}"
    );
    let ephemeral = world.open(&MasterKeySource::Ephemeral).await;
    assert!(matches!(ephemeral, Err(VaultError::MasterKey(MasterKeyError::Wrong { .. }))), "{ephemeral:?}");
    write_key(&path, 1);
    world.open(&source).await.expect("the right key opens again");
}

#[tokio::test]
async fn a_lost_key_is_not_replaced() {
    let (world, folder) = (World::new().await, tempfile::tempdir().expect("temporary directory"));
    let path = folder.path().join("master.key");
    let source = MasterKeySource::Generated(path.clone());
    world.open(&source).await.expect("opens");
    fs::remove_file(&path).expect("removed");
    let error = world.open(&source).await.expect_err("the key is gone");
    assert!(matches!(error, VaultError::MasterKey(MasterKeyError::Lost { .. })), "{error:?}");
    assert!(!path.exists());
}
