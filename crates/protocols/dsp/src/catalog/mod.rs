//! The catalog protocol around its messages (DSP 2025-1 §"Catalog Protocol"): what is offered to whom is
//! decided by the control plane, which describes it as [`Listing`]s; this module writes it down.
//!
//! - [`OfferName`]: what an offer's `@id` says.
//! - [`Listing`], [`page`] and [`dataset`]: from the model to the wire.
//! - [`ContinuationToken`]: the opaque place where the next page begins.
//! - [`Link`]: the `Link` header (RFC 8288) that leads to it.
//!
//! Deliberately absent: queries, access decisions, filters (a filter that is not understood is answered 400).

mod continuation;
mod link;
mod listing;
mod offer_name;

pub use continuation::{ContinuationToken, InvalidContinuation, Position};
pub use link::{Link, Relation, links};
pub use listing::{Incomplete, Listing, Offered, Page, dataset, page};
pub use offer_name::{InvalidOfferName, OfferName};
