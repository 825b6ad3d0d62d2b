//! HTTP server glue: what every surface needs and none should write again.
//!
//! * [`Surface`] finishes a router: limits, fallbacks, trace, log line, metrics, panics, each answered in the
//!   surface's own error body ([`ErrorBody`]).
//! * Extractors whose refusals have that body too: [`Json`], [`JsonBytes`], [`Path`], [`Query`],
//!   [`IdempotentJson`].
//! * [`bind`] and [`serve`]: the listener, its limits, and a stop that loses nothing.
//! * [`sse`], [`health`], [`Idempotency`], [`bearer_token`].
//!
//! # How to add a surface
//!
//! ```
//! use axum::{Router, routing::get};
//! use heddle_web::{ErrorBody, InFlight, Kind, Rejection, Refused, Surface};
//!
//! /// How the weather surface says no: its own object, built from the one [`Rejection`].
//! struct Weather;
//!
//! #[derive(serde::Serialize)]
//! struct Problem {
//!     reason: String,
//! }
//!
//! impl ErrorBody for Weather {
//!     fn respond(rejection: Rejection) -> axum::response::Response {
//!         heddle_web::reply(rejection.status(), &Problem { reason: rejection.message })
//!     }
//! }
//!
//! async fn today() -> Result<&'static str, Refused<Weather>> {
//!     Err(Rejection::new(Kind::NotFound, "no weather today").into())
//! }
//!
//! let environment = heddle_clock::Environment::system();
//! let router = Surface::<Weather>::new("weather", environment)
//!     .in_flight(InFlight::new(256))
//!     .body_bytes_max(64 * 1024)
//!     .finish(Router::new().route("/today", get(today)));
//! let whole: Router = Router::new().nest("/api/weather", router);
//! ```
//!
//! Nest finished surfaces; do not merge them, since each has a fallback of its own.
//!
//! Deliberately absent: authentication (it is `heddle-auth`'s; here a token is only found in its header), TLS
//! (a reverse proxy ends it), cookies, compression.

mod authorization;
mod body;
mod errors;
mod extract;
pub mod health;
mod idempotency;
mod in_flight;
mod json;
mod listen;
mod rejection;
mod serve;
mod shutdown;
pub mod sse;
mod surface;

pub use authorization::{BEARER_BYTES_MAX, authorization, bearer_token};
pub use errors::{
    ApiError, ApiErrors, ErrorBody, Fabric, FabricError, Management, Plain, PlainProblem, Refused, reply,
};
pub use extract::{Json, JsonBytes, Path, Query};
pub use idempotency::{ANSWER_LIFETIME, Idempotency, IdempotentJson, REPLAYED, Reply};
pub use in_flight::{InFlight, Place};
pub use json::{DEPTH_MAX, parse};
pub use listen::{BindError, bind};
pub use rejection::{Kind, Rejection};
pub use serve::{ServerLimits, serve};
pub use shutdown::{Shutdown, Stop};
pub use surface::Surface;
