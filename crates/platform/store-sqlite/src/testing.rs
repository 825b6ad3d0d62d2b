//! For tests alone: what another release, or a person, may have done to a database file.

use std::path::Path;

/// Runs statements on the file of a server that is stopped, and leaves nothing beside it.
pub fn administer(database: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(database).expect("the file opens");
    connection.execute_batch(sql).expect("the statements run");
    connection.close().expect("nothing is under way");
}
