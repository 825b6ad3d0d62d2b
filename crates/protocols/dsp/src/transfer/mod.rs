//! Transfer processes.
mod state;
pub use state::State;
