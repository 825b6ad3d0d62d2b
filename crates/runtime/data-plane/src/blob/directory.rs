//! Blobs as files.

use std::{
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use heddle_clock::Environment;
use ring::digest::{Context, SHA256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
};

use super::{BlobError, BlobOwner, BlobStore, ByteStream, CHUNK_BYTES, OpenBlob, StoredBlob};
use crate::digest::{hex, sha256_hex};

/// Ending of a file that is being written.
const PART: &str = "part";

/// Blobs as files: `<root>/<digest of the owner>/<random name>`. Replicas may share the directory: a file appears
/// under its name when it is whole and durable, and is never changed.
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

    /// Owners are opaque text of any length; by their digest they cannot lead anywhere else.
    fn folder(&self, owner: &BlobOwner) -> PathBuf {
        self.root.join(sha256_hex(owner.as_str().as_bytes()))
    }

    /// A name that was made here, and nothing else.
    fn file(&self, owner: &BlobOwner, name: &str) -> Result<PathBuf, BlobError> {
        let ours = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if ours { Ok(self.folder(owner).join(name)) } else { Err(BlobError::Absent) }
    }
}

#[async_trait]
impl BlobStore for DirectoryBlobs {
    async fn put(
        &self,
        owner: &BlobOwner,
        bytes: ByteStream,
        bytes_max: u64,
    ) -> Result<StoredBlob, BlobError> {
        let folder = self.folder(owner);
        if !tokio::fs::try_exists(&folder).await.map_err(BlobError::Storage)? {
            tokio::fs::create_dir_all(&folder).await.map_err(BlobError::Storage)?;
            sync_folder(&self.root).await.map_err(BlobError::Storage)?;
        }
        let name = hex(&self.environment.random::<16>());
        let part = Part(Some(folder.join(&name).with_extension(PART)));
        let (length, sha256) = write(part.path(), bytes, bytes_max).await?;
        tokio::fs::rename(part.path(), folder.join(&name)).await.map_err(BlobError::Storage)?;
        part.keep();
        sync_folder(&folder).await.map_err(BlobError::Storage)?;
        Ok(StoredBlob { name, length, sha256 })
    }

    async fn open(&self, owner: &BlobOwner, name: &str) -> Result<OpenBlob, BlobError> {
        let mut file = File::open(self.file(owner, name)?).await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BlobError::Absent,
            _ => BlobError::Storage(error),
        })?;
        file.set_max_buf_size(CHUNK_BYTES);
        let length = file.metadata().await.map_err(BlobError::Storage)?.len();
        let chunks = futures::stream::try_unfold(file, async |mut file| {
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            let count = file.read_buf(&mut chunk).await?;
            io::Result::<Option<(Bytes, File)>>::Ok((count > 0).then(|| (chunk.freeze(), file)))
        });
        Ok(OpenBlob { length, bytes: chunks.boxed() })
    }

    async fn delete(&self, owner: &BlobOwner, name: &str) -> Result<(), BlobError> {
        match tokio::fs::remove_file(self.file(owner, name)?).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BlobError::Storage(error)),
            _ => Ok(()),
        }
    }

    async fn delete_all(&self, owner: &BlobOwner) -> Result<(), BlobError> {
        let folder = self.folder(owner);
        match tokio::fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(BlobError::Storage(error)),
            Ok(()) => sync_folder(&self.root).await.map_err(BlobError::Storage),
        }
    }
}

/// A file that is not whole yet. It goes away with whoever writes it, be it by an error or because the client hung
/// up and the request was dropped.
struct Part(Option<PathBuf>);

impl Part {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // Nobody refers to it; if it cannot be deleted it is only in the way.
            drop(std::fs::remove_file(path));
        }
    }
}

async fn write(path: &Path, mut bytes: ByteStream, bytes_max: u64) -> Result<(u64, String), BlobError> {
    let mut file = File::create_new(path).await.map_err(BlobError::Storage)?;
    file.set_max_buf_size(CHUNK_BYTES);
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

/// A new name is only durable with its folder.
async fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).await?.sync_all().await
}

#[cfg(test)]
mod tests;
