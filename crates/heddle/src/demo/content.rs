//! The bytes that are shared: a file of the user's, or generated ones; read as a stream, never held whole.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use heddle_clock::SeededRng;
use ring::digest::{Context, SHA256};
use tokio::io::AsyncReadExt;

/// Bytes of generated content.
pub const GENERATED_BYTES: u64 = 1024 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;

/// What is shared.
#[derive(Debug, Clone)]
pub enum Content {
    /// A file, with its length.
    File(PathBuf, u64),
    /// [`GENERATED_BYTES`] bytes, different for every seed.
    Generated(u64),
}

impl Content {
    /// A readable file.
    pub async fn of_file(path: &Path) -> Result<Self, String> {
        let describe = |error: io::Error| {
            format!("the file {} cannot be read: {error}; name another one with --file", path.display())
        };
        // Before it is opened: a pipe would wait for its writer.
        let metadata = tokio::fs::metadata(path).await.map_err(describe)?;
        if metadata.is_dir() {
            return Err(format!("{} is a directory; name a file", path.display()));
        }
        if !metadata.is_file() {
            return Err(format!("{} is not a regular file; name one that is", path.display()));
        }
        tokio::fs::File::open(path).await.map_err(describe)?;
        Ok(Self::File(path.to_owned(), metadata.len()))
    }

    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        match self {
            Self::File(_, length) => *length,
            Self::Generated(_) => GENERATED_BYTES,
        }
    }

    /// The bytes, with a digest of those that were read.
    pub fn read(&self) -> (impl Stream<Item = io::Result<Bytes>> + Send + 'static, Digest) {
        let digest = Digest::new();
        let chunks = match self {
            Self::File(path, _) => read_file(path.clone()).boxed(),
            Self::Generated(seed) => generate(*seed).boxed(),
        };
        let seen = digest.clone();
        let chunks = chunks.inspect(move |chunk| {
            if let Ok(bytes) = chunk {
                seen.add(bytes);
            }
        });
        (chunks, digest)
    }
}

fn generate(seed: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let rng = SeededRng::new(seed);
    stream::iter(0..GENERATED_BYTES as usize / CHUNK_BYTES).map(move |_| {
        let mut chunk = vec![0; CHUNK_BYTES];
        heddle_clock::Rng::fill(&rng, &mut chunk);
        Ok(Bytes::from(chunk))
    })
}

fn read_file(path: PathBuf) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(None, move |file: Option<tokio::fs::File>| {
        let path = path.clone();
        async move {
            let mut file = match file {
                Some(file) => file,
                None => tokio::fs::File::open(path).await?,
            };
            let mut chunk = vec![0; CHUNK_BYTES];
            let count = file.read(&mut chunk).await?;
            chunk.truncate(count);
            Ok((count > 0).then(|| (Bytes::from(chunk), Some(file))))
        }
    })
}

/// A running SHA-256 and length of bytes that pass by. Clones are the same digest.
#[derive(Clone)]
pub struct Digest(Arc<Mutex<(Context, u64)>>);

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl Digest {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new((Context::new(&SHA256), 0))))
    }

    /// Adds bytes.
    pub fn add(&self, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.update(bytes);
        state.1 += bytes.len() as u64;
    }

    /// The digest in hex and how many bytes were seen.
    pub fn result(&self) -> (String, u64) {
        let (context, length) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let hex = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        (hex, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn generated_content_repeats_by_seed_and_is_measured() {
        let drain = async |content: Content| {
            let (chunks, digest) = content.read();
            chunks.for_each(|_| async {}).await;
            digest.result()
        };
        let (first, length) = drain(Content::Generated(1)).await;
        assert_eq!(length, GENERATED_BYTES);
        assert_eq!(first, drain(Content::Generated(1)).await.0);
        assert_ne!(first, drain(Content::Generated(2)).await.0);
    }

    #[tokio::test]
    async fn an_unreadable_file_is_named() {
        let error = Content::of_file(Path::new("/nowhere/at/all")).await.expect_err("absent");
        assert!(error.contains("/nowhere/at/all"), "{error}");
        assert!(Content::of_file(Path::new("/")).await.expect_err("a directory").contains("name a file"));
    }
}
