//! `/oauth/keys`: an operator looks at the signing keys of the token service, and replaces them.

mod endpoints;

pub use endpoints::routes;
