//! Data flows as a control plane drives them (Data Plane Signaling), and the callbacks to it.
//!
//! Every signal is one transaction: load, ask the machine of `heddle_dps`, store, publish what the proxy needs, emit,
//! enqueue. To add a signal: a variant of [`Signal`] and its event of the machine.
//!
//! Deliberately absent: answers that come later (202). This plane prepares and starts at once.

mod address;
mod callback;
mod end;
mod error;
mod forget;
mod open;
mod record;
mod settle;
mod signal;
mod token;

pub(crate) use address::segment;
pub(crate) use callback::{CALLBACK, Caller};
pub(crate) use error::SignalError;
pub(crate) use forget::{FORGET, Forgetter};
pub(crate) use record::FlowRecord;
pub(crate) use signal::{Answered, By, Signal};
pub(crate) use token::AccessToken;

/// How often a signal is applied anew when somebody else changes the flow at the same moment.
const ATTEMPTS_MAX: u32 = 8;
