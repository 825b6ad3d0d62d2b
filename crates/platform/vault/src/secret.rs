//! A value that must not be seen.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret in memory: wiped when it is dropped, invisible to `Debug`, not serialisable, compared in a time
/// that does not depend on where two secrets differ.
///
/// ```compile_fail
/// println!("{}", heddle_vault::Secret::new(Vec::new()));
/// ```
/// ```compile_fail
/// serde_json::to_string(&heddle_vault::Secret::new(Vec::new()));
/// ```
/// ```compile_fail
/// std::collections::HashSet::from([heddle_vault::Secret::new(Vec::new())]);
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Takes a text over.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self::new(text.into_bytes())
    }

    /// The bytes. Whoever calls this answers for where they go.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret as text; `None` when it is no UTF-8.
    #[must_use]
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown_and_equality_is_of_the_bytes() {
        let secret = Secret::from_text("open sesame".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret, Secret::new(b"open sesame".to_vec()));
        assert_ne!(secret, Secret::from_text("open sesam".to_owned()));
        assert_eq!(secret.expose_text(), Some("open sesame"));
        assert_eq!(Secret::new(vec![0xFF]).expose_text(), None);
    }
}
