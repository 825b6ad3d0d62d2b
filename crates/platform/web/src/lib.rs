//! HTTP server glue: what every surface needs and none should write again.
//!
//! * [`Surface`] finishes a router: limits, fallbacks, trace, log line, metrics, panics, each answered in the
//!   surface's own error body ([`ErrorBody`]).
//! * Extractors whose refusals have that body too: [`Json`], [`JsonBytes`], [`Path`], [`Query`],
//!   [`IdempotentJson`].
//! * [`bind`], [`serve`] and [`serve_tls`]: the listener, its limits, and a stop that loses nothing; [`Tls`]:
//!   certificates that are renewed while it runs.
//! * [`request_id`]: the id of each request, in its answer and its log lines.
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
//! Deliberately absent: authentication (it is `heddle-auth`'s; here a token is only found in its header), client
//! certificates, cookies, compression.

mod access;
mod authorization;
mod body;
mod errors;
mod extract;
pub mod health;
mod idempotency;
mod in_flight;
mod json;
mod listen;
mod pace;
mod rejection;
pub mod request_id;
mod serve;
mod shutdown;
pub mod sse;
mod surface;
mod surface_limits;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tls;
mod unread;

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
pub use serve::{ServerLimits, serve, serve_tls};
pub use shutdown::{Shutdown, Stop};
pub use surface::Surface;
pub use surface_limits::SurfaceLimits;
pub use tls::{CertificateFiles, Reloaded, Tls, TlsError};
pub use unread::Unread;
