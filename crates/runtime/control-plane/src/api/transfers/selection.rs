//! What transfers can be asked by.

use serde_json::Value;

use crate::{
    api::query::{QuerySpec, Queryable},
    transfer::TransferRecord,
};

/// States by the numbers that clients of older servers ask for.
const STATE_CODES: [(u64, &str); 13] = [
    (100, "INITIAL"),
    (400, "REQUESTING"),
    (500, "REQUESTED"),
    (550, "STARTING"),
    (570, "STARTUP_REQUESTED"),
    (600, "STARTED"),
    (650, "SUSPENDING"),
    (700, "SUSPENDED"),
    (725, "RESUMING"),
    (750, "COMPLETING"),
    (800, "COMPLETED"),
    (825, "TERMINATING"),
    (850, "TERMINATED"),
];

impl Queryable for TransferRecord {
    const PATHS: &'static [&'static str] = &[
        "id",
        "type",
        "protocol",
        "profile",
        "state",
        "stateTimestamp",
        "counterPartyId",
        "counterPartyAddress",
        "createdAt",
        "assetId",
        "contractId",
        "agreementId",
        "correlationId",
        "transferType",
        "errorDetail",
        "privateProperties.",
    ];
}

/// The same query with the names of states in place of their numbers.
pub(super) fn with_state_names(mut spec: QuerySpec) -> QuerySpec {
    for criterion in spec.filter_expression.iter_mut().filter(|one| one.operand_left.ends_with("state")) {
        match &mut criterion.operand_right {
            Value::Array(items) => items.iter_mut().for_each(name_state),
            single => name_state(single),
        }
    }
    spec
}

fn name_state(value: &mut Value) {
    let found = STATE_CODES.iter().find(|(code, _)| value.as_u64() == Some(*code));
    if let Some((_, name)) = found {
        *value = Value::from(*name);
    }
}
