//! What the wire structs of several resources have in common.

use serde::{Deserialize, Deserializer};

/// A member that is `null` counts as left out: clients write an empty list or object so.
pub(super) fn null_is_absent<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A text that is empty counts as left out.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
