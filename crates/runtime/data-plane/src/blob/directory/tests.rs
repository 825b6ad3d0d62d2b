use std::sync::Arc;

use heddle_ids::ParticipantContextId;
use heddle_tenancy::{Actor, ScopeIssuer};

use super::*;

#[expect(clippy::disallowed_methods, reason = "the test plays the authenticator")]
fn owner(id: &str) -> BlobOwner {
    let scopes = Arc::new(ScopeIssuer::new());
    BlobOwner::from(&scopes.participant(ParticipantContextId::parse(id).expect("legal"), Actor::new("test")))
}

fn stream(chunks: Vec<io::Result<&'static str>>) -> ByteStream {
    let chunks = chunks.into_iter().map(|chunk| chunk.map(|text| Bytes::from_static(text.as_bytes())));
    futures::stream::iter(chunks.collect::<Vec<_>>()).boxed()
}

/// Every file below `root`, as paths.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found
}

fn blobs(root: &Path) -> DirectoryBlobs {
    DirectoryBlobs::new(root.join("blobs"), Environment::system())
}

#[tokio::test]
async fn bytes_come_back_and_owners_are_apart() {
    let root = tempfile::tempdir().expect("a folder");
    let (blobs, alice) = (blobs(root.path()), owner("alice"));
    let stored = blobs.put(&alice, stream(vec![Ok("ab"), Ok("c")]), 3).await.expect("stored");
    assert_eq!(stored.length, 3);
    assert_eq!(stored.sha256, sha256_hex(b"abc"));
    let open = blobs.open(&alice, &stored.name).await.expect("opens");
    assert_eq!(open.length, 3);
    blobs.delete(&alice, &stored.name).await.expect("deleted");
    let chunks: Vec<_> = open.bytes.collect().await;
    let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.expect("read").to_vec()).collect();
    assert_eq!(bytes, b"abc", "whoever has it open reads it to its end");
    assert!(matches!(blobs.open(&alice, &stored.name).await, Err(BlobError::Absent)));

    let again = blobs.put(&alice, stream(vec![Ok("abc")]), 3).await.expect("stored");
    assert!(matches!(blobs.open(&owner("bob"), &again.name).await, Err(BlobError::Absent)));
    blobs.delete(&owner("bob"), &again.name).await.expect("nothing to delete is as good");
    assert!(blobs.open(&alice, &again.name).await.is_ok(), "another owner deletes nothing of ours");
}

#[tokio::test]
async fn hostile_owners_and_names_stay_inside() {
    let root = tempfile::tempdir().expect("a folder");
    let blobs = blobs(root.path());
    for id in ["../x", "/etc", "a/../../b", "..", &"y".repeat(1024)] {
        blobs.put(&owner(id), stream(vec![Ok("abc")]), 3).await.expect("stored");
    }
    let all = files(root.path());
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|path| path.starts_with(root.path().join("blobs"))), "{all:?}");
    for name in ["", "..", "../x", "a/b", "x.part", "g"] {
        assert!(matches!(blobs.open(&owner("a"), name).await, Err(BlobError::Absent)), "{name}");
        assert!(matches!(blobs.delete(&owner("a"), name).await, Err(BlobError::Absent)), "{name}");
    }
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_leaves_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let (blobs, alice) = (blobs(root.path()), owner("alice"));
    let refused = blobs.put(&alice, stream(vec![Ok("ab"), Ok("cd")]), 3).await;
    assert!(matches!(refused, Err(BlobError::TooLarge { bytes_max: 3 })));
    let broken = io::Error::other("gone");
    let refused = blobs.put(&alice, stream(vec![Ok("ab"), Err(broken)]), 3).await;
    assert!(matches!(refused, Err(BlobError::BrokenOff(_))));
    assert_eq!(files(root.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let (blobs, alice) = (blobs(root.path()), owner("alice"));
    let (waiting, is_waiting) = tokio::sync::oneshot::channel();
    let mut waiting = Some(waiting);
    let rest = futures::stream::poll_fn(move |_| {
        if let Some(waiting) = waiting.take() {
            waiting.send(()).expect("the test listens");
        }
        std::task::Poll::Pending
    });
    let bytes = stream(vec![Ok("ab")]).chain(rest).boxed();
    tokio::select! {
        _ = blobs.put(&alice, bytes, 3) => panic!("it waits for more"),
        waiting = is_waiting => waiting.expect("it has begun"),
    }
    assert_eq!(files(root.path()), Vec::<PathBuf>::new());
}
