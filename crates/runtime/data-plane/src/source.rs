//! What a dataset id stands for. Data planes know their sources themselves; control planes only name the dataset.

use heddle_clock::Timestamp;
use heddle_ids::AssetId;
use heddle_store::Aggregate;
use serde::{Deserialize, Serialize};

use crate::blob::StoredBlob;

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
    Http {
        /// The URL.
        #[serde(rename = "baseUrl")]
        base_url: String,
        /// Whether an Authorization value for it lies in the vault, under [`Source::secret_alias`].
        authorized: bool,
    },
}

/// The source of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    pub(crate) dataset: AssetId,
    pub(crate) origin: Origin,
    pub(crate) created_at: Timestamp,
}

impl Source {
    /// The alias of the origin's Authorization value in the participant's vault.
    pub(crate) fn secret_alias(dataset: &AssetId) -> String {
        format!("source/{dataset}/authorization")
    }
}

impl Aggregate for Source {
    const KIND: &'static str = "source";

    fn id(&self) -> &str {
        self.dataset.as_str()
    }
}
