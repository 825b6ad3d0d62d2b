//! What a participant has in the control plane: aggregates without behaviour of their own.
//!
//! Each is a stored document; members that a later release adds get `#[serde(default)]`. The APIs convert at
//! their edge, so nothing here is a promise to a client.

mod agreement;
mod asset;
mod contract_definition;
mod data_plane;
mod expression;
mod participant;
mod policy;
mod profile;

pub use agreement::Agreement;
pub use asset::{Asset, DataplaneMetadata, EDC_NAMESPACE};
pub(crate) use contract_definition::with_private;
pub use contract_definition::{ContractDefinition, Criterion};
pub use data_plane::DataPlane;
pub use expression::{CelExpression, DcpScope, ScopeUse};
pub use participant::{ParticipantContext, ParticipantState, PublishedParticipant};
pub use policy::PolicyDefinition;
pub use profile::{DataspaceProfile, IdentityService, ProfileIssuer, ProtocolBinding};
