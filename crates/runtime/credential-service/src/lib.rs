#![expect(dead_code, unused_imports, reason="temporary")]
#![expect(missing_docs)]
mod participant;
mod peer;
mod self_issued;
mod signing;
mod wallet;
pub use self_issued::InProcessTokens;
