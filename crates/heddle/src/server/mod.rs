//! Starts and stops a server: foundation first, then the roles, then the listener; the other way round at the end.
//!
//! The composition root: the only place that mints a `ScopeIssuer`, and the only one that knows every role.

mod audit;
mod bootstrap;
mod certificates;
mod clients;
mod clock;
mod data_dir;
mod dead_jobs;
mod development;
mod foundation;
mod issuers;
mod keys;
mod listener;
mod operations;
mod outgoing;
mod roles;
mod running;
mod sampler;
mod sweeper;
mod unauthenticated;
mod waiting;

pub(crate) use data_dir::DATABASE_FILE;
pub use development::{Development, DevelopmentServer};
pub use foundation::{Database, audit_checkpoint, open_audit};
pub(crate) use foundation::{INSTALLATION, postgres_url};
pub use operations::{MasterKeysShown, RotationShown, metrics_text, start_metrics};
pub(crate) use outgoing::to_others as outgoing_config;
pub use running::{EndSignals, Running, StartError, open, start, start_on, start_unless, with_vault};
