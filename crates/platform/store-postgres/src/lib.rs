//! The storage port on PostgreSQL (15 or later), for any number of processes.
//!
//! Every transaction becomes a role without privileges of its own and names the owner (and, for a peer, the
//! counter-party) whose rows it may touch; row-level security does the rest. A commit is one round trip: all
//! statements are sent at once, and one that misses raises inside the database, so that `COMMIT` rolls back.
//!
//! ```text
//! BEGIN; SET LOCAL ROLE heddle_app │ set_config(owner, counter-party) │ writes… │ COMMIT      ─▶ one round trip
//! ```
//!
//! Events get their place in the order after their commit (see `migrations/0004_claim.sql`), from whichever process
//! comes first. Leases of a process that died are free within seconds (see `presence`). Processes wake each other
//! with `NOTIFY`, sent after the commit and coalesced: inside it, it would take a lock that all commits of the
//! database queue for.
//!
//! How to change the schema: add `migrations/NNNN_name.sql` and a line in `migration::MIGRATIONS`; never edit an
//! older one. A table with an owner column needs forced row-level security (a test looks).
//!
//! Deliberately absent: JSON operators, which row-level security makes unindexable.

mod audit;
mod background;
mod census;
mod claim;
mod commit;
mod connect;
mod database;
mod dead;
mod error;
mod examination;
#[cfg(feature = "testing")]
pub mod explain;
mod listener;
mod migration;
mod pipeline;
mod presence;
mod reads;
mod schema;
mod session;
mod snapshot;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;

pub use audit::PostgresAudit;
pub use connect::PostgresOptions;
pub use database::PostgresDatabase;
pub use examination::examine;
