//! The Dataspace Protocol, version 2025-1, as pure functions.
//!
//! - [`wire`]: one struct per message. Strict in what it writes, tolerant in what it reads.
//! - [`catalog`]: offer ids, continuation tokens, `Link` headers, and catalogs built from a model.
//! - [`negotiation`] and [`transfer`]: the two state machines. Both parties run the same functions over their
//!   own copy of the process: `receive` for what the peer sent, `send` for what we are about to send,
//!   `acknowledged` and `abandoned` for how sending ended, `observed` for a state that the peer told. Each
//!   returns the next value of the process and the effects that the caller has to carry out.
//! - [`process`]: what the two machines share: roles, process ids, messages in flight.
//!
//! To add a message: a struct in `wire`, a variant of the machine's `Message` and `Kind`, its arrows with
//! their source, and a row in `tests/schemas.rs`.
//!
//! Deliberately absent: sockets, clocks, storage, `async`, and every decision about *what* to answer. Whether
//! an offer is acceptable is decided by the control plane; this crate only says which answers are legal.

pub mod catalog;
pub mod negotiation;
pub mod process;
pub mod transfer;
pub mod wire;
