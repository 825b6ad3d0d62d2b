//! Base64url without padding, in its canonical form only.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Encodes bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes a text. `None` for padding, other alphabets, white space, and trailing bits that are not zero:
/// two texts never decode to the same bytes.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
