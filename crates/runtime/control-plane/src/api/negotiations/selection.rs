//! What negotiations can be asked by.

use serde_json::Value;

use crate::{
    api::query::{QuerySpec, Queryable},
    negotiation::NegotiationRecord,
};

/// States by the numbers that clients of older servers ask for.
const STATE_CODES: [(u64, &str); 15] = [
    (50, "INITIAL"),
    (100, "REQUESTING"),
    (200, "REQUESTED"),
    (300, "OFFERING"),
    (400, "OFFERED"),
    (700, "ACCEPTING"),
    (800, "ACCEPTED"),
    (825, "AGREEING"),
    (850, "AGREED"),
    (1050, "VERIFYING"),
    (1100, "VERIFIED"),
    (1150, "FINALIZING"),
    (1200, "FINALIZED"),
    (1300, "TERMINATING"),
    (1400, "TERMINATED"),
];

impl Queryable for NegotiationRecord {
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
        "correlationId",
        "contractAgreementId",
        "contractAgreement.id",
        "contractAgreement.assetId",
        "errorDetail",
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
