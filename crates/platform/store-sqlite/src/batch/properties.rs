//! Properties: the rows that a document can be filtered by.

use heddle_store::filter::Property;
use rusqlite::{Connection, params};

use super::{Stamp, aggregates::Put};

/// Stores those of a document in place of those that it had; a fresh one had none. What stays as it is is not written.
pub(super) fn put(
    connection: &Connection,
    stamp: &Stamp<'_>,
    put: &Put,
    fresh: bool,
) -> rusqlite::Result<()> {
    let Some(properties) = &put.properties else { return Ok(()) };
    let before = if fresh { Vec::new() } else { rows(connection, stamp, put)? };
    for (path, item) in before {
        let stays = |row: &Property| row.path == path && row.item == item;
        if !properties.iter().any(stays) {
            let sql =
                "DELETE FROM property WHERE owner = ?1 AND kind = ?2 AND id = ?3 AND path = ?4 AND item = ?5";
            connection.prepare_cached(sql)?.execute(params![stamp.owner, put.kind, put.id, path, item])?;
        }
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO property (owner, kind, id, path, item, text, long, folded, number, counter_party)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (owner, kind, id, path, item) DO UPDATE
         SET text = ?6, long = ?7, folded = ?8, number = ?9, counter_party = ?10
         WHERE text IS NOT ?6 OR long IS NOT ?7 OR folded IS NOT ?8 OR number IS NOT ?9 OR counter_party IS NOT ?10",
    )?;
    for Property { path, item, value } in properties {
        statement.execute(params![
            stamp.owner,
            put.kind,
            put.id,
            path,
            item,
            value.key(),
            value.whole(),
            value.folded(),
            value.number(),
            put.columns.counter_party,
        ])?;
    }
    Ok(())
}

/// The places that are taken.
fn rows(connection: &Connection, stamp: &Stamp<'_>, put: &Put) -> rusqlite::Result<Vec<(String, u32)>> {
    let sql = "SELECT path, item FROM property WHERE owner = ?1 AND kind = ?2 AND id = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![stamp.owner, put.kind, put.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
