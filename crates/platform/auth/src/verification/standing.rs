//! Whether whoever a token was given to is still there. A token lives for minutes; a client or a participant context
//! may end within them, and another one may be made under its id, which must inherit nothing.
//!
//! Asked for every request, so that what has ended has ended at once, on every replica. What is looked up is named by
//! the verified token alone: the answer says nothing about what a path names.

use heddle_clock::Timestamp;
use heddle_store::{DirectoryRow, Store, StoreError, Transaction};
use serde::{Deserialize, Serialize};

use crate::{
    Principal, Unauthenticated,
    client::{DIRECTORY_KIND, Listed},
};

/// The directory's kind of the rows that say since when tokens of a participant context count.
const SINCE: &str = "tokens-since";

/// What ends the tokens of an issuer before their time.
#[derive(Clone)]
pub(crate) enum Standing {
    /// The end of the client that a token was given to, or of its secret.
    Client(Store),
    /// The end of the participant context that a token is for.
    Participant(Store),
}

/// What of a verified token the standing depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// When.
    pub(crate) issued_at: Option<Timestamp>,
    /// For which secret ([`crate::client::SecretHash::mark`]).
    pub(crate) mark: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Since {
    not_before: Timestamp,
}

impl Standing {
    pub(crate) async fn check(&self, principal: &Principal, given: &Given) -> Result<(), Unauthenticated> {
        let stands = match self {
            Self::Client(store) => client_stands(store, principal, given).await,
            Self::Participant(store) => participant_stands(store, principal, given).await,
        };
        match stands {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unauthenticated::Ended),
            Err(error) => {
                tracing::error!(component = "auth", action = "authenticate", %error, "a token cannot be checked");
                Err(Unauthenticated::Unknown)
            }
        }
    }
}

async fn client_stands(store: &Store, principal: &Principal, given: &Given) -> Result<bool, StoreError> {
    let Some(client) = principal.client_id() else { return Ok(false) };
    let Some(row) = store.lookup(DIRECTORY_KIND, client.as_str()).await? else { return Ok(false) };
    let listed: Listed = row.value()?;
    // Rows and tokens of earlier releases have no mark.
    Ok(match (listed.mark, &given.mark) {
        (Some(listed), Some(given)) => listed == *given,
        _ => true,
    })
}

async fn participant_stands(store: &Store, principal: &Principal, given: &Given) -> Result<bool, StoreError> {
    let Some(participant) = principal.participant() else { return Ok(true) };
    let Some(row) = store.lookup(SINCE, participant.as_str()).await? else { return Ok(true) };
    let since: Since = row.value()?;
    // Issuers tell seconds; a token of the same second may be of the new context.
    Ok(given.issued_at.is_some_and(|at| at.as_seconds() >= since.not_before.as_seconds()))
}

/// Tokens of the transaction's participant context that were given before now count no more.
pub(crate) fn end_earlier(transaction: &mut Transaction<'_>, participant: &str) {
    let since = Since { not_before: transaction.now() };
    transaction.publish(DirectoryRow::new(SINCE, participant, &since));
}

/// Whether a participant context of this id has ended before.
pub(crate) async fn has_ended_before(store: &Store, participant: &str) -> Result<bool, StoreError> {
    Ok(store.lookup(SINCE, participant).await?.is_some())
}
