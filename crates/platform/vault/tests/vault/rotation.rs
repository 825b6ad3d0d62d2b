//! One master key in the place of another, while servers run and die.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use heddle_jose::Algorithm;
use heddle_vault::{
    EmbeddedVault, MASTER_KEY_BYTES, MasterKeyError, MasterKeySource, Rotation, Secret, Vault, VaultError,
};

use crate::support::World;

fn write_key(path: &Path, byte: u8) {
    fs::write(path, [byte; MASTER_KEY_BYTES]).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("chmod");
}

struct Scene {
    world: World,
    _folder: tempfile::TempDir,
    file: PathBuf,
    next: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary directory");
        let file = folder.path().join("master.key");
        let next = folder.path().join("master.key.next");
        Self { world: World::new().await, _folder: folder, file, next }
    }

    async fn generated(&self) -> Result<EmbeddedVault, VaultError> {
        self.world.open(&MasterKeySource::Generated(self.file.clone())).await
    }

    async fn provided(&self) -> Result<EmbeddedVault, VaultError> {
        self.world.open(&MasterKeySource::Provided(self.file.clone())).await
    }

    async fn keeps(&self, vault: &EmbeddedVault) {
        let secret = Secret::from_text("open sesame".to_owned());
        vault.store_secret(&self.world.participant("acme"), "s", &secret).await.expect("stored");
    }

    async fn has_kept(&self, vault: &EmbeddedVault) -> bool {
        let secret =
            vault.secret(&self.world.participant("acme"), "s").await.expect("opens").expect("is there");
        secret.expose() == b"open sesame"
    }

    async fn keys(&self, vault: &EmbeddedVault) -> usize {
        vault.master_keys(&self.world.operator()).await.expect("told").keys.len()
    }
}

fn is_wrong(opened: &Result<EmbeddedVault, VaultError>) -> bool {
    matches!(opened, Err(VaultError::MasterKey(MasterKeyError::Wrong { .. })))
}

#[tokio::test]
async fn the_old_key_opens_nothing_any_more_and_the_new_one_everything() {
    let scene = Scene::new().await;
    let vault = scene.generated().await.expect("opens");
    scene.keeps(&vault).await;
    let old = fs::read(&scene.file).expect("there");
    let rotation = vault.rotate_master_key(&scene.world.operator()).await.expect("rotates");
    let told = vault.master_keys(&scene.world.operator()).await.expect("told");
    let Rotation::Done { key } = rotation else { panic!("{rotation:?}") };
    assert_eq!(told.keys.iter().map(|(key, _)| key).collect::<Vec<_>>(), [&key]);
    assert_eq!((told.current.as_ref(), told.next), (Some(&key), None));

    let new = fs::read(&scene.file).expect("there");
    assert_ne!(new, old);
    assert_eq!(fs::metadata(&scene.file).expect("there").permissions().mode() & 0o7777, 0o600);
    assert!(!scene.next.exists());
    assert!(scene.has_kept(&vault).await, "whoever runs goes on");
    assert!(scene.has_kept(&scene.generated().await.expect("opens with the new key")).await);
    fs::write(&scene.file, old).expect("the old one is put back");
    assert!(is_wrong(&scene.generated().await));
}

#[tokio::test]
async fn a_rotation_that_was_broken_off_anywhere_leaves_a_vault_that_opens_and_goes_on() {
    for step in ["a new key was made", "both keys open", "the file is replaced"] {
        let scene = Scene::new().await;
        let vault = scene.generated().await.expect("opens");
        scene.keeps(&vault).await;
        write_key(&scene.next, 9);
        if step != "a new key was made" {
            let ours = scene.provided().await.expect("opens");
            let prepared = ours.rotate_master_key(&scene.world.operator()).await.expect("prepares");
            assert!(matches!(prepared, Rotation::Prepared { .. }), "{step}: {prepared:?}");
        }
        if step == "the file is replaced" {
            fs::rename(&scene.next, &scene.file).expect("renamed");
        }
        drop(vault);
        let vault = scene.generated().await.unwrap_or_else(|error| panic!("{step}: {error}"));
        assert!(scene.has_kept(&vault).await, "{step}");
        let rotation = vault.rotate_master_key(&scene.world.operator()).await.expect("goes on");
        assert!(matches!(rotation, Rotation::Done { .. }), "{step}: {rotation:?}");
        assert_eq!(
            fs::read(&scene.file).expect("there"),
            [9; MASTER_KEY_BYTES],
            "{step}: the key that was made"
        );
        assert_eq!(scene.keys(&vault).await, 1, "{step}");
        assert!(scene.has_kept(&scene.generated().await.expect("opens")).await, "{step}");
    }
}

#[tokio::test]
async fn a_file_of_the_operator_is_replaced_by_the_operator() {
    let scene = Scene::new().await;
    write_key(&scene.file, 1);
    let vault = scene.provided().await.expect("opens");
    scene.keeps(&vault).await;
    let operator = scene.world.operator();
    let error = vault.rotate_master_key(&operator).await.expect_err("there is no new key").to_string();
    assert!(error.contains("master.key.next"), "{error}");

    write_key(&scene.next, 2);
    for _ in 0..2 {
        let rotation = vault.rotate_master_key(&operator).await.expect("prepares");
        assert!(matches!(rotation, Rotation::Prepared { .. }), "{rotation:?}");
        assert_eq!(scene.keys(&vault).await, 2);
        assert_eq!(fs::read(&scene.file).expect("there"), [1; MASTER_KEY_BYTES], "it is not ours to write");
        assert!(scene.has_kept(&scene.provided().await.expect("the old key still opens")).await);
    }
    fs::copy(&scene.next, &scene.file).expect("replaced");
    assert!(scene.has_kept(&scene.provided().await.expect("the new key opens")).await);
    let rotation = vault.rotate_master_key(&operator).await.expect("ends");
    assert!(matches!(rotation, Rotation::Done { .. }), "{rotation:?}");
    assert_eq!(scene.keys(&vault).await, 1);
    write_key(&scene.file, 1);
    assert!(is_wrong(&scene.provided().await));
}

#[tokio::test]
async fn a_new_key_is_refused_where_others_can_read_it_or_nothing_is_kept() {
    let scene = Scene::new().await;
    let vault = scene.generated().await.expect("opens");
    write_key(&scene.next, 2);
    fs::set_permissions(&scene.next, fs::Permissions::from_mode(0o644)).expect("chmod");
    let error = vault.rotate_master_key(&scene.world.operator()).await.expect_err("exposed");
    assert!(matches!(error, VaultError::MasterKey(MasterKeyError::Exposed { .. })), "{error}");
    fs::remove_file(&scene.next).expect("removed");
    assert_eq!(scene.keys(&vault).await, 1);
    let world = World::new().await;
    let error = world.vault().await.rotate_master_key(&world.operator()).await.expect_err("ephemeral");
    assert!(matches!(error, VaultError::MasterKey(MasterKeyError::Unkept)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_and_reads_meanwhile_notices_nothing() {
    const ROTATIONS: usize = 10;
    let scene = Scene::new().await;
    let here = Arc::new(scene.generated().await.expect("opens"));
    let there = Arc::new(scene.generated().await.expect("opens"));
    scene.keeps(&here).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let mut users = Vec::new();
    for (vault, name) in [(here.clone(), "a"), (there.clone(), "b")] {
        let (scope, stop, done) = (scene.world.participant("acme"), stop.clone(), done.clone());
        users.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let alias = format!("{name}/{}", done.fetch_add(1, Ordering::Relaxed));
                vault.generate_key(&scope, &alias, Algorithm::EdDsa).await.expect("makes keys");
                vault.sign(&scope, &alias, b"m").await.expect("signs");
                assert!(vault.secret(&scope, "s").await.expect("opens").is_some());
                vault.delete_key(&scope, &alias).await.expect("destroys keys");
            }
        }));
    }
    let mut names = Vec::new();
    for _ in 0..ROTATIONS {
        let operator = scene.world.operator();
        let (one, other) =
            tokio::join!(here.rotate_master_key(&operator), there.rotate_master_key(&operator));
        let mut done = 0;
        for rotation in [one, other] {
            match rotation {
                Ok(Rotation::Done { key }) => {
                    names.push(key);
                    done += 1;
                }
                Err(VaultError::MasterKey(MasterKeyError::Busy { .. })) => {}
                other => panic!("a file of ours: {other:?}"),
            }
        }
        assert!(done > 0, "one of two is first");
    }
    stop.store(true, Ordering::Relaxed);
    for user in users {
        user.await.expect("nobody failed");
    }
    names.dedup();
    assert!(names.len() >= ROTATIONS, "{names:?}");
    assert!(done.load(Ordering::Relaxed) > 2, "they worked meanwhile");
    assert!(scene.has_kept(&scene.generated().await.expect("opens")).await);
    assert_eq!(scene.keys(&here).await, 1);
}
