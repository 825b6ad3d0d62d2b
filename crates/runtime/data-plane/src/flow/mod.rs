//! Data flows as a control plane drives them (Data Plane Signaling), and the callbacks to it.

mod callback;
mod record;
mod signals;

pub(crate) use callback::{CALLBACK, Caller};
pub(crate) use record::FlowRecord;
pub(crate) use signals::{Answered, SignalError};
