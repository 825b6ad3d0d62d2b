//! The life of an issuance on both sides (DCP 1.0 §6), as tables.
//!
//! A machine is a `const` list of arrows; anything that is not in the list is refused. Crossing messages have
//! arrows of their own: a delivery may overtake the answer to the request that it fulfils.
//! What a delivery must satisfy before the holder's machine moves is in [`delivery`].
//!
//! Deliberately absent: retries and waiting (jobs do that), storage, attestations.

pub mod delivery;
pub mod holder;
pub mod issuer;

/// An event that the machine does not know in its present state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {machine} is {state}: '{event}' is not possible now")]
pub struct Illegal {
    /// Which machine.
    pub machine: &'static str,
    /// The state that it stays in.
    pub state: &'static str,
    /// What was tried.
    pub event: &'static str,
}
