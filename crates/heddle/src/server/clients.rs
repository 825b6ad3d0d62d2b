//! `/oauth/clients`: makes clients of the token service for a participant context, and ends them.
//!
//! The secret is shown once and not stored, so a repeated request cannot be answered with it again. It gets another
//! secret for the same client instead: the id follows from the idempotency key, and the older secret ends. Whoever
//! repeats a request has not seen the first answer.

mod endpoints;

pub use endpoints::routes;
