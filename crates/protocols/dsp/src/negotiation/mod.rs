//! Contract negotiation (DSP 2025-1 §"Contract Negotiation Protocol") as data and pure functions.
//!
//! ```text
//!                ┌────── Request ──────┐
//!  (C) Request   ▼                     │            (P) Finalize
//!  ───────▶ REQUESTED ── (P) Offer ─▶ OFFERED ◀── (P) Offer ───────
//!                │                     │
//!                │ (P) Agree           │ (C) Accept
//!                ▼                     ▼
//!             AGREED ◀── (P) Agree ─ ACCEPTED
//!                │ (C) Verify
//!                ▼
//!            VERIFIED ── (P) Finalize ─▶ FINALIZED      any other ── (C, P) Terminate ─▶ TERMINATED
//! ```
//!
//! The arrows are [`ARROWS`]; everything else follows from them. A process moves on *acknowledged* messages:
//! what we send waits in [`Negotiation::in_flight`] until the peer has answered, and [`receive`] reads the
//! peer's next message as that answer when only so it is legal.
//!
//! Deliberately absent: what to answer (the control plane decides), jobs and retries, and states for
//! "sending".

mod aggregate;
mod arrows;
mod checks;
mod crossing;
mod message;
mod observed;
mod outbound;
mod receive;
mod refused;
mod send;
mod state;

pub use aggregate::{Negotiation, OfferRecord, Setup, Termination};
pub use arrows::{ARROWS, Arrow, Source, legal_kinds, next};
pub use checks::Mismatch;
pub use message::{Effect, Event, Kind, Message, Step};
pub use observed::observed;
pub use outbound::{Body, Outbound, outbound};
pub use receive::receive;
pub use refused::Refused;
pub use send::{abandoned, acknowledged, send};
pub use state::State;
