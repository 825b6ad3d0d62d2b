//! Documents whose properties were not stored with them.

use heddle_store::StoreError;
use heddle_tenancy::Owner;
use rusqlite::{Connection, params_from_iter, types::Value};

use crate::error::of_statement;

/// Owners of such documents of these kinds.
pub(crate) fn owners(
    connection: &Connection,
    kinds: &[&'static str],
    limit: u32,
) -> Result<Vec<Owner>, StoreError> {
    let marks = vec!["?"; kinds.len()].join(", ");
    let sql = format!(
        "SELECT DISTINCT owner FROM aggregate WHERE indexed IS NOT version AND kind IN ({marks}) LIMIT ?"
    );
    let mut values: Vec<Value> = kinds.iter().map(|kind| Value::from((*kind).to_owned())).collect();
    values.push(limit.into());
    let owners = || {
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_map(params_from_iter(values), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()
    };
    let owners = owners().map_err(of_statement)?;
    owners
        .into_iter()
        .map(|owner| {
            owner.parse().map_err(|error: heddle_tenancy::InvalidOwner| StoreError::Unreadable {
                kind: "aggregate".to_owned(),
                id: owner.clone(),
                reason: error.to_string(),
            })
        })
        .collect()
}
