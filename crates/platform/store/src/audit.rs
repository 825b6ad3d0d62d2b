//! The audit log as a chain that shows whether it was changed.
//!
//! An entry commits with what it tells of and has no place yet. Sealing gives the entries that wait their places, in
//! the order of their insertion, and each a hash over what it says, its place and the hash before it. Whoever changes,
//! removes, adds or moves a sealed entry breaks every hash from there on; whoever computes them all anew cannot change
//! a [checkpoint](AuditHead) that is kept elsewhere.
//!
//! Deliberately absent: signatures. A key within reach of whoever can change the database would prove nothing.

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use heddle_clock::Timestamp;
use ring::digest::{SHA256, digest};

use crate::StoreError;

mod verification;

pub use verification::{AuditBreak, AuditReport, verify};

/// What every chain begins with.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What hashes are made of; another arrangement gets another name.
const ARRANGEMENT: &str = "heddle-audit-1";

/// An entry of the audit log as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The number that the database gave it when it was inserted.
    pub seq: u64,
    /// Whose it is, as the `owner` column has it: `i`, `t:<tenant>` or `p:<participant context>`.
    pub owner: String,
    /// Who acted.
    pub actor: String,
    /// What was done, such as `participant.create`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why, when an administrator acted for a participant.
    pub reason: Option<String>,
    /// When it was committed.
    pub at: Timestamp,
    /// The trace of the work that caused it, as text.
    pub trace: Option<String>,
}

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRecord {
    /// Its place, from 1, without gaps.
    pub place: u64,
    /// What it says.
    pub record: AuditRecord,
    /// The hash that was stored with it, as hexadecimal digits.
    pub hash: String,
}

/// The end of a chain, or of a part of one: the place and the hash of its last entry. Written down elsewhere it is a
/// checkpoint. Its text is `PLACE:HASH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// The place; 0 before the first entry.
    pub place: u64,
    /// The hash, as hexadecimal digits.
    pub hash: String,
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no checkpoint of the audit log: expected a place, a colon and 64 hexadecimal digits")]
pub struct InvalidCheckpoint(String);

impl AuditHead {
    /// The end of a chain without entries.
    #[must_use]
    pub fn genesis() -> Self {
        Self { place: 0, hash: GENESIS.to_owned() }
    }

    /// The end of the chain after `record` was appended.
    #[must_use]
    pub fn after(&self, record: &AuditRecord) -> Self {
        let place = self.place + 1;
        let mut text = String::with_capacity(512);
        let mut part = |part: Option<&str>| match part {
            // The length before each part: no two entries have one text.
            Some(part) => text.push_str(&format!("{}:{part},", part.len())),
            None => text.push_str("-,"),
        };
        part(Some(ARRANGEMENT));
        part(Some(&self.hash));
        part(Some(&place.to_string()));
        part(Some(&record.seq.to_string()));
        for column in [&record.owner, &record.actor, &record.action, &record.subject] {
            part(Some(column));
        }
        part(record.reason.as_deref());
        part(Some(&record.at.as_millis().to_string()));
        part(record.trace.as_deref());
        let hash = digest(&SHA256, text.as_bytes());
        Self { place, hash: hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect() }
    }

    /// The entries that wait, with their places and hashes, and the end of the chain after them.
    #[must_use]
    pub fn seal(self, waiting: Vec<AuditRecord>) -> (Vec<SealedRecord>, Self) {
        let mut head = self;
        let mut sealed = Vec::with_capacity(waiting.len());
        for record in waiting {
            head = head.after(&record);
            sealed.push(SealedRecord { place: head.place, record, hash: head.hash.clone() });
        }
        (sealed, head)
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place, self.hash)
    }
}

impl FromStr for AuditHead {
    type Err = InvalidCheckpoint;

    fn from_str(text: &str) -> Result<Self, InvalidCheckpoint> {
        let invalid = || InvalidCheckpoint(text.to_owned());
        let (place, hash) = text.trim().split_once(':').ok_or_else(invalid)?;
        if hash.len() != GENESIS.len() || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        Ok(Self { place: place.parse().map_err(|_| invalid())?, hash: hash.to_ascii_lowercase() })
    }
}

/// Where the chain ends at this moment, and what is not in it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditState {
    /// The end of the chain, as the database remembers it.
    pub head: AuditHead,
    /// Entries that wait to be sealed.
    pub unsealed: u64,
}

/// Which sealed entries a reader wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Those of this owner, as the `owner` column has it; `None` is everybody's.
    pub owner: Option<String>,
    /// After this place.
    pub after: u64,
    /// Most entries to return.
    pub limit: u32,
}

/// Reads the audit log of one database.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Where the chain ends.
    async fn audit_state(&self) -> Result<AuditState, StoreError>;

    /// Sealed entries in the order of their places. None is skipped: places become visible in their order.
    async fn audit_entries(&self, query: AuditQuery) -> Result<Vec<SealedRecord>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(subject: &str, reason: Option<&str>) -> AuditRecord {
        AuditRecord {
            seq: 7,
            owner: "p:alice".to_owned(),
            actor: "me".to_owned(),
            action: "thing.create".to_owned(),
            subject: subject.to_owned(),
            reason: reason.map(str::to_owned),
            at: Timestamp::from_millis(1),
            trace: None,
        }
    }

    #[test]
    fn a_hash_never_changes_between_releases() {
        let head = AuditHead::genesis().after(&record("a", Some("because")));
        assert_eq!(head.to_string(), "1:f00eed7263b83172838446917bd5b5679d230255f8611f9721ce22c1892455f9");
    }

    #[test]
    fn every_column_and_the_hash_before_count() {
        let all = [
            record("a", None),
            record("b", None),
            record("a", Some("")),
            record("a", Some("-")),
            AuditRecord { seq: 8, ..record("a", None) },
            AuditRecord { owner: "p:bob".to_owned(), ..record("a", None) },
            AuditRecord { actor: "you".to_owned(), ..record("a", None) },
            AuditRecord { action: "thing.delete".to_owned(), ..record("a", None) },
            AuditRecord { at: Timestamp::from_millis(2), ..record("a", None) },
            AuditRecord { trace: Some(String::new()), ..record("a", None) },
            // The same letters, divided otherwise.
            AuditRecord { action: "thing.creat".to_owned(), subject: "ea".to_owned(), ..record("a", None) },
        ];
        let first = AuditHead::genesis();
        let mut hashes: Vec<String> = all.iter().map(|record| first.after(record).hash).collect();
        hashes.push(first.after(&all[0]).after(&all[0]).hash);
        hashes.push(AuditHead { place: 1, ..first }.after(&all[0]).hash);
        let count = hashes.len();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn a_checkpoint_is_read_as_it_is_written() {
        let head = AuditHead::genesis().after(&record("a", None));
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        for bad in ["", "1", "1:", "x:00", &format!("-1:{}", head.hash), &format!("1:{}z", &head.hash[1..])] {
            assert!(bad.parse::<AuditHead>().is_err(), "{bad}");
        }
    }
}
