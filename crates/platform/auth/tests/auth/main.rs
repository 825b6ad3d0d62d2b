//! Tests of the resource server and the token service, from outside.

mod endpoints;
mod issuers;
mod jwks_url;
mod matrix;
mod rates;
mod rotation;
mod standing;
mod support;
mod token_service;
mod verification;
