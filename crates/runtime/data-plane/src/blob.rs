//! Where uploads lie: a small port, and a directory that replicas can share.

use std::{
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use heddle_clock::Environment;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes that are read or written at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes on their way.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;

/// What is known of stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredBlob {
    /// Their name in the store.
    pub name: String,
    /// How many they are.
    pub length: u64,
    /// Their SHA-256 in hex.
    pub sha256: String,
}

/// Why bytes were not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There are more than allowed.
    #[error("the upload has more than {bytes_max} bytes, which is the most that is taken")]
    TooLarge {
        /// The most that is taken.
        bytes_max: u64,
    },
    /// The sender broke off.
    #[error("the upload broke off: {0}")]
    BrokenOff(io::Error),
    /// There is no such blob.
    #[error("the stored bytes are gone")]
    Absent,
    /// The storage fails.
    #[error("the blob storage fails: {0}")]
    Storage(io::Error),
}

/// Stores bytes under names of its own making.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores a stream of at most `bytes_max` bytes; durable when it returns. What breaks off leaves nothing.
    async fn put(&self, owner: &str, bytes: ByteStream, bytes_max: u64) -> Result<StoredBlob, BlobError>;

    /// The bytes of a blob, pulled only as fast as they are read.
    async fn open(&self, owner: &str, name: &str) -> Result<ByteStream, BlobError>;

    /// Deletes a blob; one that is gone already is as good.
    async fn delete(&self, owner: &str, name: &str) -> Result<(), BlobError>;
}

/// Blobs as files: `<root>/<owner in hex>/<random name>`. Replicas may share the directory.
#[derive(Debug, Clone)]
pub struct DirectoryBlobs {
    root: PathBuf,
    environment: Environment,
}

impl DirectoryBlobs {
    /// Below `root`, which is made when it is needed.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, environment: Environment) -> Self {
        Self { root: root.into(), environment }
    }

    /// Names of owners come from outside; in hex they cannot lead anywhere else.
    fn folder(&self, owner: &str) -> PathBuf {
        self.root.join(hex(owner.as_bytes()))
    }

    /// A name that we have made, and nothing else.
    fn file(&self, owner: &str, name: &str) -> Result<PathBuf, BlobError> {
        let ours = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if ours { Ok(self.folder(owner).join(name)) } else { Err(BlobError::Absent) }
    }
}

#[async_trait]
impl BlobStore for DirectoryBlobs {
    async fn put(&self, owner: &str, bytes: ByteStream, bytes_max: u64) -> Result<StoredBlob, BlobError> {
        let folder = self.folder(owner);
        tokio::fs::create_dir_all(&folder).await.map_err(BlobError::Storage)?;
        let name = hex(&self.environment.random::<16>());
        let temporary = folder.join(format!("{name}.part"));
        let written = write(&temporary, bytes, bytes_max).await;
        let (length, sha256) = match written {
            Ok(written) => written,
            Err(error) => {
                // Nobody refers to it; if it cannot be deleted it is only in the way.
                drop(tokio::fs::remove_file(&temporary).await);
                return Err(error);
            }
        };
        tokio::fs::rename(&temporary, folder.join(&name)).await.map_err(BlobError::Storage)?;
        sync_folder(&folder).await.map_err(BlobError::Storage)?;
        Ok(StoredBlob { name, length, sha256 })
    }

    async fn open(&self, owner: &str, name: &str) -> Result<ByteStream, BlobError> {
        let file = tokio::fs::File::open(self.file(owner, name)?).await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BlobError::Absent,
            _ => BlobError::Storage(error),
        })?;
        let chunks = futures::stream::try_unfold(file, |mut file| async move {
            let mut chunk = vec![0; CHUNK_BYTES];
            let count = file.read(&mut chunk).await?;
            chunk.truncate(count);
            Ok((count > 0).then(|| (Bytes::from(chunk), file)))
        });
        Ok(chunks.boxed())
    }

    async fn delete(&self, owner: &str, name: &str) -> Result<(), BlobError> {
        match tokio::fs::remove_file(self.file(owner, name)?).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BlobError::Storage(error)),
            _ => Ok(()),
        }
    }
}

async fn write(path: &Path, mut bytes: ByteStream, bytes_max: u64) -> Result<(u64, String), BlobError> {
    let mut file = tokio::fs::File::create(path).await.map_err(BlobError::Storage)?;
    let (mut digest, mut length) = (Context::new(&SHA256), 0_u64);
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.map_err(BlobError::BrokenOff)?;
        length += chunk.len() as u64;
        if length > bytes_max {
            return Err(BlobError::TooLarge { bytes_max });
        }
        digest.update(&chunk);
        file.write_all(&chunk).await.map_err(BlobError::Storage)?;
    }
    file.flush().await.map_err(BlobError::Storage)?;
    file.sync_all().await.map_err(BlobError::Storage)?;
    Ok((length, hex(digest.finish().as_ref())))
}

/// The new name is only durable with its folder.
async fn sync_folder(folder: &Path) -> io::Result<()> {
    tokio::fs::File::open(folder).await?.sync_all().await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(chunks: Vec<io::Result<&'static str>>) -> ByteStream {
        let chunks = chunks.into_iter().map(|chunk| chunk.map(|text| Bytes::from_static(text.as_bytes())));
        futures::stream::iter(chunks.collect::<Vec<_>>()).boxed()
    }

    fn files(root: &Path) -> usize {
        let folders = std::fs::read_dir(root).map(|all| all.flatten().collect::<Vec<_>>()).unwrap_or_default();
        folders.iter().map(|folder| std::fs::read_dir(folder.path()).expect("a folder").count()).sum()
    }

    #[tokio::test]
    async fn bytes_come_back_and_owners_are_apart() {
        let root = tempfile::tempdir().expect("a folder");
        let blobs = DirectoryBlobs::new(root.path(), Environment::system());
        let stored = blobs.put("../a", stream(vec![Ok("ab"), Ok("c")]), 3).await.expect("stored");
        assert_eq!(stored.length, 3);
        assert!(stored.sha256.starts_with("ba7816bf"), "SHA-256 of abc");
        let chunks: Vec<_> = blobs.open("../a", &stored.name).await.expect("opens").collect().await;
        let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.expect("read").to_vec()).collect();
        assert_eq!(bytes, b"abc");
        assert!(matches!(blobs.open("b", &stored.name).await, Err(BlobError::Absent)));
        assert!(matches!(blobs.open("../a", "../../etc/passwd").await, Err(BlobError::Absent)));
        assert_eq!(files(root.path()), 1);
        blobs.delete("../a", &stored.name).await.expect("deleted");
        assert_eq!(files(root.path()), 0);
    }

    #[tokio::test]
    async fn what_is_too_large_or_breaks_off_leaves_nothing() {
        let root = tempfile::tempdir().expect("a folder");
        let blobs = DirectoryBlobs::new(root.path(), Environment::system());
        let large = blobs.put("a", stream(vec![Ok("ab"), Ok("cd")]), 3).await;
        assert!(matches!(large, Err(BlobError::TooLarge { bytes_max: 3 })));
        let broken = blobs.put("a", stream(vec![Ok("ab"), Err(io::ErrorKind::BrokenPipe.into())]), 9).await;
        assert!(matches!(broken, Err(BlobError::BrokenOff(_))));
        assert_eq!(files(root.path()), 0);
    }
}
