//! Participant contexts: identity, keys, the DID document, and their life.
//!
//! What everybody may know is published in the commit that makes it true. Deliberately absent: rotation and
//! revocation of single keys, and changes of services after creation.

mod context;
mod document;
mod key_pair;
mod lifecycle;
pub(crate) mod manifest;

pub(crate) use context::{
    DID, DID_DOCUMENT, DidClaim, HOLDER, HolderContext, PublishedHolder, PublishedKey, ServiceEndpoint,
    Settings, State,
};
pub(crate) use document::document_of;
pub(crate) use key_pair::{KeyPair, KeyState, Usage};
pub(crate) use lifecycle::{
    DISPOSE_KEYS, DisposeKeys, ParticipantError, REMOVED, check_vacant, create, delete, set_active,
};
