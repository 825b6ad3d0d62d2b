//! Other releases on the same database.

use heddle_clock::Environment;
use heddle_store::StoreError;

use crate::{PostgresDatabase, PostgresOptions, migration};

/// Connects as a release did that knew the steps of the schema up to `known` and none of the later ones.
///
/// # Errors
/// Those of [`PostgresDatabase::connect`].
pub async fn connect_as_release(
    known: i64,
    url: &str,
    options: &PostgresOptions,
) -> Result<PostgresDatabase, StoreError> {
    PostgresDatabase::connect_knowing(known, url, options, &Environment::system()).await
}

/// The newest step of the schema that this release knows.
#[must_use]
pub fn newest_schema() -> i64 {
    migration::newest()
}
