//! What no compiler looks at: sizes, words, documentation and links.

mod manifests;
mod markdown;
mod size;
mod words;

use crate::{Tree, Violation};

/// All violations of tidiness.
pub fn check(tree: &Tree) -> Vec<Violation> {
    [manifests::check, markdown::check, size::check, words::check]
        .iter()
        .flat_map(|rule| rule(tree))
        .collect()
}
