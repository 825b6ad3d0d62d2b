//! For tests alone: what another release, or a person, may have done to a database file.

use std::path::Path;

/// Runs statements on the file of a server that is stopped, and leaves nothing beside it.
pub fn administer(database: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(database).expect("the file opens");
    connection.execute_batch(sql).expect("the statements run");
    connection.close().expect("nothing is under way");
}

/// The rows that a query on the file of a server that is stopped gives, each as the texts of its columns.
pub fn read(database: &Path, sql: &str) -> Vec<Vec<String>> {
    let connection = rusqlite::Connection::open(database).expect("the file opens");
    let mut statement = connection.prepare(sql).expect("the query is legal");
    let columns = statement.column_count();
    let texts = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    let rows = statement.query_map([], texts).expect("the query runs").collect::<Result<_, _>>();
    rows.expect("texts alone")
}

/// The number that a query gives, of the file of a server that is stopped.
#[must_use]
pub fn count(database: &Path, sql: &str) -> i64 {
    let connection = rusqlite::Connection::open(database).expect("the file opens");
    let count = connection.query_row(sql, [], |row| row.get(0)).expect("the query gives one number");
    connection.close().expect("nothing is under way");
    count
}
