//! What can be filtered and sorted over the Management API.

use heddle_store::Indexed;

use crate::{
    model::{
        Agreement, Asset, CelExpression, ContractDefinition, DataspaceProfile, DcpScope, PolicyDefinition,
    },
    negotiation::NegotiationRecord,
    transfer::TransferRecord,
};

/// The kinds whose properties must be stored before anybody may filter them (see [`heddle_store::Store::index`]).
#[must_use]
pub fn filtered() -> Vec<Indexed> {
    vec![
        Indexed::of::<Asset>(),
        Indexed::of::<ContractDefinition>(),
        Indexed::of::<PolicyDefinition>(),
        Indexed::of::<Agreement>(),
        Indexed::of::<NegotiationRecord>(),
        Indexed::of::<TransferRecord>(),
        Indexed::of::<DataspaceProfile>(),
        Indexed::of::<CelExpression>(),
        Indexed::of::<DcpScope>(),
    ]
}
