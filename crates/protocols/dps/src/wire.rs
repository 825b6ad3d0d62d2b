//! The messages of Data Plane Signaling, as they are on the wire.
//!
//! Reading is tolerant: members that we do not know are ignored, a member that is `null` counts as absent, and
//! both spellings of release candidates 3 and 4 are understood. Writing is strict: what we send is valid
//! against the published schemas. The messages are plain JSON, without `@context` (DPS 1.0, base URL).
//!
//! Messages are read by [`parse`] alone, so that every refusal names the place in the body and what was
//! expected there.
//!
//! Deliberately absent: the body of `completed`, which is empty. Peers send `{}` or anything else; it is not
//! read.

mod address;
mod authorization;
mod control;
mod malformed;
mod registration;
mod request;
mod status;

pub use address::{DataAddress, EndpointProperty, PROPERTIES_MAX};
pub use authorization::AuthorizationEntry;
pub use control::{
    AgreementResponse, DataFlowResumeMessage, DataFlowStartedNotificationMessage, DataFlowSuspendMessage,
    DataFlowTerminateMessage,
};
pub use malformed::{BODY_BYTES_MAX, Malformed, Message, parse};
pub use registration::{ControlPlaneRegistrationMessage, DataPlaneRegistrationMessage, PROFILES_MAX};
pub use request::{DataFlowBaseMessage, DataFlowPrepareMessage, DataFlowStartMessage, LABELS_MAX};
pub use status::{DataFlowStatusMessage, DataFlowStatusResponseMessage, ReceivedStatus};

#[cfg(test)]
mod tests;
