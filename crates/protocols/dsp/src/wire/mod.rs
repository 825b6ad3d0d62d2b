//! The messages of DSP 2025-1, one struct each.
//!
//! Writing is strict: `@context` as an array, `@type` everywhere, no empty lists. Reading is tolerant:
//! `@context` may be the context itself or an array that contains it, unknown members are ignored, `null` is
//! absent, and a single value stands for a list of one. What the schemas require is required, and refused in
//! a sentence with a JSON pointer ([`Malformed`]).
//!
//! Deliberately absent: JSON-LD processing (DSP 2025-1 allows plain JSON that is valid against the schemas),
//! the older versions of the protocol, and what a message means for a process.

mod catalog;
mod context;
mod lists;
mod negotiation;
mod parse;
mod path;
mod transfer;
mod version;

pub use catalog::{
    AccessService, Catalog, CatalogError, CatalogRequestMessage, DataService, Dataset, DatasetRequestMessage,
    Distribution, NestedCatalog, RootDataset,
};
pub use context::{CONTEXT, Context, Is, Typed};
pub use negotiation::{
    ContractAgreementMessage, ContractAgreementVerificationMessage, ContractNegotiation,
    ContractNegotiationError, ContractNegotiationEventMessage, ContractNegotiationTerminationMessage,
    ContractOfferMessage, ContractRequestMessage, EventType,
};
pub use parse::{MESSAGE_BYTES_MAX, Malformed, Wire, parse, parse_up_to};
pub use path::dataset_path;
pub(crate) use path::{peer_path, process_path};
pub use transfer::{
    DataAddress, EndpointProperty, TransferCompletionMessage, TransferError, TransferProcess,
    TransferRequestMessage, TransferStartMessage, TransferSuspensionMessage, TransferTerminationMessage,
};
pub use version::{Auth, Binding, VERSION, Version, VersionResponse};
