//! Access tokens of flows.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::Environment;

use crate::digest::sha256_hex;

/// The beginning of every access token, by which scanners recognise a leaked one.
const PREFIX: &str = "hdl_dp_";
/// Random bytes of a token.
const RANDOM_BYTES: usize = 32;
/// Those bytes in base64url without padding.
const RANDOM_CHARS: usize = 43;

/// A token that opens one flow: opaque, unguessable, never stored in clear.
pub(crate) struct AccessToken(String);

impl AccessToken {
    pub(crate) fn issue(environment: &Environment) -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(environment.random::<RANDOM_BYTES>())))
    }

    /// Whether a text could be a token. Says nothing about whether it is one.
    pub(crate) fn is_well_formed(text: &str) -> bool {
        let random = text.strip_prefix(PREFIX).unwrap_or_default();
        random.len() == RANDOM_CHARS
            && random.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }

    /// The token in clear, for the address that it goes into.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The digest by which it is recognised.
    pub(crate) fn sha256(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_recognised_and_hidden() {
        let (one, two) =
            (AccessToken::issue(&Environment::system()), AccessToken::issue(&Environment::system()));
        assert_ne!(one.expose(), two.expose());
        assert!(AccessToken::is_well_formed(one.expose()));
        for text in
            ["", PREFIX, &one.expose()[1..], &format!("{}x", one.expose()), &one.expose().replace('_', "/")]
        {
            assert!(!AccessToken::is_well_formed(text), "{text}");
        }
        assert_eq!(format!("{one:?}"), "AccessToken(…)");
    }
}
