//! Isolation as types: who may touch whose data, as values that cannot be forged.
//!
//! Every function below authentication takes a *scope*. A scope has private fields, is neither `Clone` nor
//! `Deserialize`, and is minted only by a [`ScopeIssuer`], which the composition root gives to the
//! authenticators and to the job claimer, and to nobody else (`clippy.toml` fences its constructor). So there is
//! no argument by which a handler could name another participant.
//!
//! The list of scopes is closed: a new one is a change of the architecture and needs a decision record.
//!
//! Deliberately absent: tokens and their checks (`auth`), storage (`store` turns a scope into an access).

mod access;
mod issuer;
mod owner;
mod peer;
mod scopes;

pub use access::{Access, Actor, Scope};
pub use issuer::{JobScope, ScopeIssuer};
pub use owner::{InvalidOwner, Owner};
pub use peer::{DevelopmentMode, NotThisRecipient, Recipient, StaticPeers, UnknownPeer, VerifiedPeer};
pub use scopes::{
    CatalogPeer, DataPlaneScope, DeliveryPeer, Directory, FlowPermit, IssuancePeer, NegotiationPeer,
    OperatorScope, ParticipantScope, PresentationGrant, TenantScope, TransferPeer,
};
