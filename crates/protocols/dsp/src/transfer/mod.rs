//! Transfer processes (DSP 2025-1 §"Transfer Process Protocol") as data and pure functions.
//!
//! ```text
//!  (C) Request             (P) Start             (C, P) Complete
//!  ─────────▶ REQUESTED ──────────▶ STARTED ──────────────▶ COMPLETED
//!                                   │     ▲
//!                    (C, P) Suspend ▼     │ (C, P) Start
//!                                  SUSPENDED              any other ── (C, P) Terminate ─▶ TERMINATED
//! ```
//!
//! As in [`crate::negotiation`], a process moves on acknowledged messages, and a message of the peer may
//! acknowledge ours. Two things are particular. A step of the data plane that is not a message
//! ([`TransferProcess::busy`]) makes an inbound message wait. And the party that owns the data address (the
//! provider for pull, the consumer for push) answers a resume of the other one with a start of its own that
//! brings the address again.
//!
//! Deliberately absent: data planes and what they are told, jobs and retries.

mod aggregate;
mod arrows;
mod busy;
mod checks;
mod crossing;
mod message;
mod observed;
mod outbound;
mod receive;
mod refused;
mod send;
mod state;

pub use aggregate::{Ending, Setup, TransferProcess};
pub use arrows::{ADDRESS_ARROWS, ARROWS, Arrow, Source, legal_kinds, next};
pub use busy::DataPlaneStep;
pub use checks::Mismatch;
pub use message::{Effect, Event, Flow, Kind, Message, Step};
pub use observed::observed;
pub use outbound::{Body, Outbound, outbound};
pub use receive::receive;
pub use refused::{Refused, UnderWay};
pub use send::{abandoned, acknowledged, send, withdrawn};
pub use state::State;
