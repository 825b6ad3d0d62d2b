//! What a dataset id stands for. Data planes know their sources themselves; control planes only name the dataset.
//!
//! To add a kind of source: a variant of [`Origin`], how a client describes it in `endpoints::sources`, and how its
//! bytes are opened in `proxy`.

mod change;
mod description;
mod reader;

use heddle_clock::Timestamp;
use heddle_ids::AssetId;
use heddle_store::Aggregate;
use serde::{Deserialize, Serialize};

use crate::blob::StoredBlob;

pub(crate) use change::SourceError;
pub(crate) use description::HttpOrigin;
pub(crate) use reader::{ReadySource, SourceReader};

/// Where the bytes of a dataset come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum Origin {
    /// Bytes that the participant has uploaded.
    Upload {
        /// The stored bytes.
        blob: StoredBlob,
        /// Their media type.
        #[serde(rename = "mediaType")]
        media_type: String,
    },
    /// An HTTP resource that is asked at every download.
    Http(HttpOrigin),
}

impl Origin {
    /// Whether an Authorization value for it lies in the vault.
    pub(crate) const fn is_authorized(&self) -> bool {
        matches!(self, Self::Http(HttpOrigin { authorized: true, .. }))
    }
}

/// The source of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    pub(crate) dataset: AssetId,
    pub(crate) origin: Origin,
    /// When it was last set.
    pub(crate) updated_at: Timestamp,
}

impl Aggregate for Source {
    const KIND: &'static str = "source";

    fn id(&self) -> &str {
        self.dataset.as_str()
    }
}
