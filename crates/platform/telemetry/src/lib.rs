//! What every process says about itself: the trace that a piece of work belongs to, spans, log lines, and the names and
//! meanings of its numbers.
//!
//! A trace begins at the edge (a request without `traceparent`) and travels with everything that follows
//! from it: spans, jobs, events, outgoing requests, the peer's process. [`trace::current`] is the only
//! ambient state of the code base; it decides nothing, it only labels.
//!
//! Deliberately absent: exporters and their connections (the binary wires those), metric storage.

mod lines;
pub mod logs;
pub mod meters;
pub mod spans;
pub mod trace;
pub mod tracestate;

pub use trace::TraceContext;
pub use tracestate::TraceState;
