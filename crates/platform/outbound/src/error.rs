//! Why a request did not get a good answer, and whether to send it again.

use std::time::Duration;

use http::StatusCode;

/// Why a URL is not asked. The text completes "… is not asked: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be parsed.
    #[error("it is not a URL ({0})")]
    NotAUrl(String),
    /// It has more bytes than a URL may have.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    /// Another scheme than `https` (and `http` where that is allowed).
    #[error("its scheme is '{scheme}'; allowed: {allowed}")]
    Scheme {
        /// The scheme that it has.
        scheme: String,
        /// The schemes that are allowed.
        allowed: &'static str,
    },
    /// It carries a user name or a password.
    #[error("it carries a user name or a password")]
    UserInfo,
    /// Its port is none of those that are allowed.
    #[error("port {0} is not allowed; unless configured otherwise, 80, 443 and ports from 1024 are")]
    Port(u16),
    /// A redirect leads from `https` to `http`.
    #[error("a redirect leads there from https to http")]
    Downgrade,
    /// A redirect leads from outside to one of the installation's own origins.
    #[error("a redirect leads there from outside, and it is an address of this installation")]
    Inward,
    /// It names an address that is not public.
    #[error("{address} is a {class} address, and only public addresses may be asked")]
    Address {
        /// The address, or the name that stands for one.
        address: String,
        /// What kind of address.
        class: &'static str,
    },
}

/// Why a request did not get a good answer. Never holds an `Authorization` value, nor the query of a URL.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OutboundError {
    /// The URL may not be asked. Nothing was sent.
    #[error("{url} is not asked: {reason}")]
    Refused {
        /// The URL, without its query.
        url: String,
        /// Why not.
        reason: Refusal,
    },
    /// No answer came: the name, the connection or the transfer failed.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The URL, without its query.
        url: String,
        /// What failed.
        reason: String,
    },
    /// No answer came in time.
    #[error("{url} did not answer within {} ms", .after.as_millis())]
    Timeout {
        /// The URL, without its query.
        url: String,
        /// How long we waited.
        after: Duration,
    },
    /// The answer points elsewhere, and redirects of this request are not followed, or not any further.
    #[error(
        "{url} answered {status}, a redirect to '{location}', which is not followed; ask for the final address"
    )]
    Redirected {
        /// The URL, without its query.
        url: String,
        /// The status.
        status: StatusCode,
        /// Where it points, shortened.
        location: String,
    },
    /// An answer came, and it is not a success.
    #[error("{url} answered {status}: {body_excerpt}")]
    Status {
        /// The URL, without its query.
        url: String,
        /// The status.
        status: StatusCode,
        /// The beginning of the body, printable.
        body_excerpt: String,
        /// How long the answer asks us to wait, at most an hour.
        retry_after: Option<Duration>,
    },
    /// Too many requests to this host wait for their turn already. Nothing was sent.
    #[error("{url} is not asked: too many requests to its host are waiting already")]
    Busy {
        /// The URL, without its query.
        url: String,
    },
    /// The answer's body is too large.
    #[error("{url} answered with more than {body_bytes_max} bytes")]
    TooLarge {
        /// The URL, without its query.
        url: String,
        /// The largest body that is read, in bytes.
        body_bytes_max: usize,
    },
    /// The answer, or a part of the request, is not what it should be.
    #[error("{subject} is malformed: {reason}")]
    Malformed {
        /// What is malformed.
        subject: String,
        /// What was expected, and where.
        reason: String,
    },
}

/// Whether, and how, to send a request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// Again, as long as the process lives; not before `after`, if given.
    Retry {
        /// How long the peer asks us to wait.
        after: Option<Duration>,
    },
    /// Again for two minutes: a peer whose own services restart answers 401 or 404.
    RetryBriefly,
    /// Never: the same request would fail the same way.
    Final,
}

impl OutboundError {
    /// The class of this failure: network errors, timeouts, 5xx, 408, 425 and 429 are worth repeating, 401 and
    /// 404 for a short time, and nothing else is.
    #[must_use]
    pub fn class(&self) -> RetryClass {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Busy { .. } => {
                RetryClass::Retry { after: None }
            }
            Self::Status { status, retry_after, .. } => match status.as_u16() {
                408 | 425 | 429 | 500..=599 => RetryClass::Retry { after: *retry_after },
                401 | 404 => RetryClass::RetryBriefly,
                _ => RetryClass::Final,
            },
            Self::Refused { .. }
            | Self::Redirected { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => RetryClass::Final,
        }
    }

    /// The status of the answer, if one came.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } | Self::Redirected { status, .. } => Some(*status),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<Duration>) -> RetryClass {
        OutboundError::Status {
            url: String::new(),
            status: StatusCode::from_u16(status).expect("a status"),
            body_excerpt: String::new(),
            retry_after,
        }
        .class()
    }

    #[test]
    fn classes_follow_the_status() {
        let wait = Some(Duration::from_secs(7));
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert_eq!(answered(status, wait), RetryClass::Retry { after: wait }, "{status}");
        }
        for status in [401, 404] {
            assert_eq!(answered(status, wait), RetryClass::RetryBriefly, "{status}");
        }
        for status in [400, 403, 405, 409, 410, 413, 415, 422, 451] {
            assert_eq!(answered(status, wait), RetryClass::Final, "{status}");
        }
    }
}
