//! Data Plane Signaling (DPS 1.0): how a control plane tells a data plane what may flow, and hears back.
//!
//! - [`wire`]: every message, tolerant in what it reads and strict in what it writes, in the spelling of
//!   release candidates 3 and 4 at once.
//! - [`profile`]: transfer profiles, and the one list of the other names that are in use for them.
//! - [`flow`]: the state machine of one data flow, for consumer and provider, push and pull.
//!
//! To add a transfer profile that others call by a short name: one line in the list of [`profile`]. To add
//! an arrow: one line in [`flow::ARROWS`], with its source; the golden matrix shows what it changes.
//!
//! Deliberately absent: sockets, clocks, storage, tokens and `async`. Who may speak for which flow is decided
//! where requests are authenticated; what a flow moves is the data plane's business.

pub mod flow;
pub mod profile;
pub mod wire;

pub use flow::State;
pub use profile::{Direction, TransferProfile};
