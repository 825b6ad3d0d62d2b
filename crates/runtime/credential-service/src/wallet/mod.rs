//! The wallet: requests for credentials, their delivery, and presentations of what is held.
//!
//! Deliberately absent: a watch over revocation and expiry, renewal, and acceptance of offers by themselves.

mod credential;
pub(crate) mod delivery;
mod offer;
pub(crate) mod presentation;
mod request;
mod send;
mod telling;
mod write_grant;

pub(crate) use credential::{Credential, CredentialState};
pub(crate) use offer::{CredentialOffer, OFFERS_MAX, OFFERS_PER_ISSUER_MAX, superfluous};
pub(crate) use request::{CredentialRequest, SEND_REQUEST, Wanted};
pub(crate) use send::RequestSender;
