//! What must not compile: making a scope out of nothing, copying one, reading one from a message.
//!
//! The expected messages are those of the toolchain that `rust-toolchain.toml` names.

#[test]
fn scopes_are_neither_forged_nor_cloned_nor_deserialised() {
    trybuild::TestCases::new().compile_fail("tests/forging/*.rs");
}
