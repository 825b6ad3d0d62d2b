//! Status lists: where everybody can see which credentials were taken back (Bitstring Status List 1.0,
//! StatusList2021).
//!
//! An issuer has one open list of each kind. Its places are given out once each, in the commit that stores the
//! credential; when it is full it is closed and a new one is opened. The signed list is published in the commit
//! that changes it.

mod allocation;
mod publication;
mod renewal;
mod revocation;

use heddle_clock::{Environment, Timestamp};
use heddle_credentials::{CredentialError, StatusKind, StatusList};
use heddle_ids::StatusListId;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

pub(crate) use allocation::Allocation;
pub(crate) use publication::{PublishedList, STATUS_LIST, list_url, publish, signed};
pub(crate) use renewal::{RENEW, Renewer};
pub(crate) use revocation::{RevocationError, revoke};

/// Places of a list. A power of two, and as many as the specification demands at least, so that a credential hides
/// among others.
const PLACES: u64 = 131_072;

/// The kind of a list, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Bitstring,
    StatusList2021,
}

impl From<Kind> for StatusKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Bitstring => Self::Bitstring,
            Kind::StatusList2021 => Self::StatusList2021,
        }
    }
}

/// The aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusListRecord {
    pub(crate) id: StatusListId,
    pub(crate) kind: Kind,
    /// How many places are taken.
    taken: u64,
    /// Where the first place is, and how far it is to the next: odd, so that every place comes once. An index then
    /// does not tell when its credential was issued.
    first: u64,
    step: u64,
    /// The bits, compressed.
    bits: String,
    pub(crate) created_at: Timestamp,
}

impl StatusListRecord {
    /// A list in which nothing is revoked.
    fn open(kind: Kind, environment: &Environment) -> Self {
        let (ms, random) = environment.id_parts();
        let bits = StatusList::new(PLACES).expect("a list of the smallest legal size");
        Self {
            id: StatusListId::from_parts(ms, random),
            kind,
            taken: 0,
            first: u64::from_le_bytes(environment.random()) % PLACES,
            step: (u64::from_le_bytes(environment.random()) % PLACES) | 1,
            bits: bits.encode(StatusKind::Bitstring),
            created_at: environment.now(),
        }
    }

    fn is_full(&self) -> bool {
        self.taken >= PLACES
    }

    /// The next place; `None` when the list is full.
    fn take(&mut self) -> Option<u64> {
        if self.is_full() {
            return None;
        }
        let index = (self.first + self.taken * self.step) % PLACES;
        self.taken += 1;
        Some(index)
    }

    /// The bits.
    fn list(&self) -> Result<StatusList, CredentialError> {
        StatusList::decode(&self.bits, heddle_credentials::status::LIST_BYTES_MAX)
    }

    /// The same list with the bit at `index` set.
    fn with(&self, index: u64) -> Result<Self, CredentialError> {
        let mut list = self.list()?;
        list.set(index)?;
        Ok(Self { bits: list.encode(StatusKind::Bitstring), ..self.clone() })
    }

    /// The unique key of the open list of a kind.
    fn open_key(kind: Kind) -> String {
        format!("open {}", StatusKind::from(kind).list_type())
    }

    /// What its jobs are ordered by.
    pub(crate) fn order_key(&self) -> String {
        format!("status-list/{}", self.id)
    }
}

impl Aggregate for StatusListRecord {
    const KIND: &'static str = "status-list";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        let unique_key = (!self.is_full()).then(|| Self::open_key(self.kind));
        Columns { unique_key, ..Columns::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_place_is_given_out_once_and_then_the_list_is_full() {
        let mut record = StatusListRecord::open(Kind::StatusList2021, &Environment::system());
        let mut seen = BTreeSet::new();
        assert!(record.columns().unique_key.is_some());
        while let Some(index) = record.take() {
            assert!(index < PLACES && seen.insert(index), "{index} came twice");
        }
        assert_eq!(seen.len() as u64, PLACES);
        assert_eq!(record.columns().unique_key, None, "a full list makes room for the next");
    }

    #[test]
    fn a_bit_stays_set_and_touches_no_other() {
        let record = StatusListRecord::open(Kind::Bitstring, &Environment::system());
        let once = record.with(7).expect("in range");
        let twice = once.with(7).and_then(|record| record.with(9)).expect("in range");
        let list = twice.list().expect("readable");
        let set: Vec<u64> = (0..PLACES).filter(|index| list.get(*index) == Ok(true)).collect();
        assert_eq!(set, [7, 9]);
        assert!(record.with(PLACES).is_err());
    }
}
