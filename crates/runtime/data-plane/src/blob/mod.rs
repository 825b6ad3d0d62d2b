//! Where uploads lie: a small port, and a directory that replicas can share.
//!
//! Bytes go in and out as streams, with at most a few chunks of [`CHUNK_BYTES`] in memory at a time.
//!
//! To add a store (an object store, say): implement [`BlobStore`]; it makes the names of blobs itself, and an owner
//! is only ever the [`BlobOwner`] of a scope.
//!
//! Deliberately absent: media types (they belong to the source that refers to a blob), ranges, listing.

mod directory;

use std::{fmt, io};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use heddle_tenancy::{FlowPermit, ParticipantScope};
use serde::{Deserialize, Serialize};

pub use directory::DirectoryBlobs;

/// Bytes that are read or written at a time.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes on their way.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;

/// Whose blobs: made from what opens a participant's data, and from nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobOwner(String);

impl BlobOwner {
    /// The participant context. Opaque text that came from outside: never a part of a path as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&ParticipantScope> for BlobOwner {
    fn from(scope: &ParticipantScope) -> Self {
        Self(scope.participant().to_string())
    }
}

impl From<&FlowPermit> for BlobOwner {
    fn from(permit: &FlowPermit) -> Self {
        Self(permit.participant().to_string())
    }
}

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

/// A blob that is being read.
pub struct OpenBlob {
    /// How many bytes there are.
    pub length: u64,
    /// The bytes, read only as fast as they are taken. They stay readable when the blob is deleted meanwhile.
    pub bytes: ByteStream,
}

impl fmt::Debug for OpenBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenBlob({} bytes)", self.length)
    }
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
    #[error("the stored bytes are gone; upload the content again")]
    Absent,
    /// The storage fails.
    #[error("the blob storage fails: {0}")]
    Storage(io::Error),
}

/// Stores bytes under names of its own making.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores a stream of at most `bytes_max` bytes; durable when it returns. What breaks off leaves nothing.
    async fn put(
        &self,
        owner: &BlobOwner,
        bytes: ByteStream,
        bytes_max: u64,
    ) -> Result<StoredBlob, BlobError>;

    /// Opens a whole blob.
    async fn open(&self, owner: &BlobOwner, name: &str) -> Result<OpenBlob, BlobError>;

    /// Deletes a blob; one that is gone already is as good.
    async fn delete(&self, owner: &BlobOwner, name: &str) -> Result<(), BlobError>;

    /// Deletes everything of an owner, what is being written included; that nothing is there is as good.
    async fn delete_all(&self, owner: &BlobOwner) -> Result<(), BlobError>;
}
