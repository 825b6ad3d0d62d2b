//! The value of an `Authorization` header: secret, wiped when dropped, never shown.

use std::fmt;

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::OutboundError;

/// What a request proves itself with. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Authorization(Zeroizing<String>);

impl Authorization {
    /// `Bearer <token>` (RFC 6750 §2.1).
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self(Zeroizing::new(format!("Bearer {token}")))
    }

    /// The whole header value, as it is.
    #[must_use]
    pub fn verbatim(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    pub(crate) fn header(&self) -> Result<HeaderValue, OutboundError> {
        let mut value = HeaderValue::from_str(&self.0).map_err(|_| OutboundError::Malformed {
            subject: "the Authorization value".to_owned(),
            reason: "it holds characters that a header cannot carry".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(…)")
    }
}
