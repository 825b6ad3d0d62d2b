//! Tests of the embedded vault, over a database.

mod embedded;
mod master_key;
mod rotation;
mod support;
