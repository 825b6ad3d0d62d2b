//! The state machine of one data flow, as a data plane keeps it (DPS 1.0, state machine).
//!
//! ```text
//!                    consumer                                  provider
//!   INITIALIZED ──prepare──▶ PREPARING                INITIALIZED ──start──▶ STARTING
//!        └──────prepare──┐       │ finished                 └──────start──┐      │ finished
//!                        ▼       ▼                                        ▼      ▼
//!                        PREPARED ──started──▶ STARTED ◀──────────────────┘──────┘
//!                                              │  ▲   │
//!                                      suspend ▼  │   └── completed ──▶ COMPLETED
//!                                       SUSPENDED ┘ resume
//!   any state but the terminal ones ──terminate──▶ TERMINATED
//! ```
//!
//! [`ARROWS`] is that figure as a table; [`apply`] is the only way along an arrow. Redelivery is normal: a
//! message id that was answered before gets the same answer again, and a repeat under a new id is answered
//! from the present state where that can do no harm.
//!
//! A data plane that must do something before it can answer (issue an address, open a port) asks [`admit`]
//! first, does it, and then calls [`apply`].
//!
//! Deliberately absent: moving data, issuing tokens, calling back, knowing who asked. [`Step`] says what there is
//! to answer and to call back; it is done elsewhere.

mod aggregate;
mod answer;
mod apply;
mod arrows;
mod event;
mod refused;
mod state;

pub use aggregate::{ANSWERS_MAX, Flow, Terms};
pub use answer::{Answer, Callback, CallbackKind};
pub use apply::{Admission, Step, admit, apply};
pub use arrows::{ARROWS, Arrow, Who, targets};
pub use event::{Event, Kind, Progress};
pub use refused::{Fault, Refused};
pub use state::{Side, State, owns_address};

#[cfg(test)]
mod tests;
