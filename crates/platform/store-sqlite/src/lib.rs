//! The storage port on SQLite: one file, one process, nothing to install.
//!
//! One thread writes. It takes the batches that wait and commits them together, a savepoint each, with one
//! `fsync` for all: a batch that fails fails alone. Readers have connections of their own and see the snapshot
//! at which they began (WAL). What is acknowledged survives power loss (`synchronous=FULL`).
//!
//! How to change the schema: add `migrations/NNNN_name.sql` and a line in `migration::MIGRATIONS`; never edit an
//! older one.
//!
//! Deliberately absent: sharing the file between processes (a lock refuses it), and row-level security: here the
//! owner in every statement of this crate is what holds owners apart.

mod audit;
mod batch;
mod census;
mod claim;
mod connection;
mod database;
mod dead;
mod error;
mod events;
mod examination;
#[cfg(feature = "testing")]
pub mod explain;
mod indexing;
mod migration;
mod process_lock;
mod readers;
mod room;
mod snapshot;
#[cfg(feature = "testing")]
pub mod testing;
mod writer;

pub use audit::SqliteAudit;
pub use database::SqliteDatabase;
pub use examination::examine;
