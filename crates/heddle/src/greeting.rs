//! The first question to a server: is there one, and is it Heddle?
//!
//! Asked once and without patience, before anything is done: a wrong address is told at once, not after the time for
//! which a server that was there may be away.

use std::time::Duration;

use heddle_outbound::{Outbound, OutboundError, Refusal, Request};
use serde::{Deserialize, Serialize};

/// How long a server may take to say who it is.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// What a server says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// Its release.
    pub version: String,
}

/// Nobody to talk to.
#[derive(Debug, thiserror::Error)]
pub enum GreetingError {
    /// No server answers, or it is not well.
    #[error(
        "no server answers at {url}: {reason}; start one with 'heddle start-dev', or name another with --server"
    )]
    Absent {
        /// Its URL.
        url: String,
        /// What happened instead.
        reason: String,
    },
    /// Something else answers.
    #[error("what answers at {url} is not a Heddle server; name the right address with --server")]
    Stranger {
        /// Its URL.
        url: String,
    },
    /// It is not to be asked.
    #[error("'{url}' is not the address of a server: {reason}; name one as http://host:port with --server")]
    Address {
        /// The URL.
        url: String,
        /// Why not.
        reason: Refusal,
    },
}

/// Asks the server at `url`, which has no slash at the end.
pub async fn greet(outbound: &Outbound, url: &str) -> Result<Version, GreetingError> {
    let absent = |reason: String| GreetingError::Absent { url: url.to_owned(), reason };
    let request = Request::get(format!("{url}/version")).timeout(ANSWER_WAIT);
    let stranger = || GreetingError::Stranger { url: url.to_owned() };
    match outbound.send(request).await {
        Ok(answer) => answer.json().map_err(|_| stranger()),
        Err(OutboundError::Unreachable { reason, .. }) => Err(absent(innermost(&reason).to_owned())),
        Err(OutboundError::Timeout { after, .. }) => {
            Err(absent(format!("nothing was said within {} s", after.as_secs())))
        }
        Err(OutboundError::Status { status, .. }) if status.is_server_error() => {
            Err(absent(format!("it answers {status}")))
        }
        Err(OutboundError::Refused { reason, .. }) => {
            Err(GreetingError::Address { url: url.to_owned(), reason })
        }
        Err(_) => Err(stranger()),
    }
}

/// The last of a chain of causes; the others only say which layer passed it on.
fn innermost(causes: &str) -> &str {
    causes.rsplit(": ").next().unwrap_or(causes)
}
