//! The engine as pure functions: no database, no clock, no I/O.
//!
//! [`instantiate`] makes an orchestration from a definition and a manifest; [`begin`] says which activities run first;
//! [`apply`] takes an agent's report and says what follows. An activity starts as soon as everything that it depends on is
//! complete. A fatal one ends the orchestration when those under way have ended; then [`compensation`] makes the one that
//! undoes, in reverse order, what had completed.
//!
//! Every function may be called twice with the same arguments: a report about a run that is over changes nothing.

mod definition;
mod orchestration;
mod step;
#[cfg(test)]
mod tests;

pub use definition::{
    ACTIVITIES_MAX, ActivityDefinition, ActivityTemplate, InvalidDefinition, OrchestrationDefinition,
};
pub use orchestration::{ActivityRun, ActivityState, Orchestration, OrchestrationState};
pub use step::{ATTEMPTS_MAX, Effect, apply, begin, compensation, instantiate};
