//! The only HTTP client: every request that leaves the process goes through [`Outbound`].
//!
//! What it holds, so that no caller has to think of it:
//!
//! * **Where to.** A URL that a peer chose never reaches a private address: schemes, literals and every
//!   resolved address are checked, and the connection is made to the checked address ([`Refusal`]). Redirects
//!   are followed only where a request asks for it ([`Request::redirects_max`]), hop by checked hop. The
//!   installation's own origins are always allowed, and what an operator lists ([`Allowed`]).
//! * **How much and how long.** Bodies, times and excerpts are bounded; see [`OutboundConfig`]. So is the number
//!   of requests that one host gets at a time ([`HostLimits`]).
//! * **What then.** Every failure has a [`RetryClass`]; waiting and repeating is the business of the job that
//!   sent the request.
//! * **Whose trace.** The `traceparent` of [`heddle_telemetry::trace::current`] goes along.
//!
//! [`DidResolver`] turns a `did:web` into its document, with a bounded cache.
//!
//! # How to send something
//!
//! ```no_run
//! # async fn example(outbound: heddle_outbound::Outbound) -> Result<(), heddle_outbound::OutboundError> {
//! use heddle_outbound::{Authorization, Request};
//! let request = Request::post("https://peer.example/dsp/catalog/request")
//!     .json(br#"{"@type":"CatalogRequestMessage"}"#.to_vec())
//!     .authorization(Authorization::bearer("…"));
//! let answer = outbound.send(request).await?;
//! # let _ = answer.body();
//! # Ok(())
//! # }
//! ```
//!
//! Deliberately absent: retry loops (jobs repeat), cookies, proxies (a proxy would look names up past the
//! guard), decompression (a small answer must stay small), caches of anything but DID documents.

mod address;
mod allowed;
mod authorization;
mod client;
mod config;
mod did;
mod error;
mod excerpt;
mod guard;
mod hops;
mod request;
mod resolver;
mod response;
mod telling;
mod turns;

pub use allowed::{Allowed, InvalidAllowed};
pub use authorization::Authorization;
pub use client::Outbound;
pub use config::{InvalidConfig, OutboundConfig};
pub use did::{DidResolver, ResolveError};
pub use error::{OutboundError, Refusal, RetryClass};
pub use request::{Body, Request};
pub use resolver::{NameLookup, SystemLookup};
pub use response::{Response, StreamingResponse};
pub use turns::{HostLimits, Lane};
