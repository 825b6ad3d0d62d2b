//! Tests of the resource server and the token service, from outside.

mod endpoints;
mod jwks_url;
mod matrix;
mod support;
mod token_service;
mod verification;
