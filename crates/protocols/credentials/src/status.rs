//! Status lists: StatusList2021 and Bitstring Status List 1.0. One bit for each credential, index 0 being the
//! left-most bit.

mod credential;
mod entry;
mod list;

pub use credential::{
    ParsedStatusCredential, STATUS_CREDENTIAL_BYTES_MAX, StatusListCredential, StatusListDraft,
    parse_status_credential, status_credential_unsigned,
};
pub(crate) use entry::WireEntry;
pub use entry::{StatusEntry, StatusKind, StatusPurpose};
pub use list::{LIST_BYTES_MAX, StatusList};
