//! Dependencies point down only, and each outside technology has one home.
//!
//! A crate's layer is its folder:
//!
//! ```text
//! L0 base   L1 protocols   L2 platform   L3 runtime | management | portal   L4 heddle
//! ```
//!
//! Deliberately absent: a list of crates. A new crate is under the rules as soon as its folder exists.

mod direction;
mod endpoints;
mod package;
mod technology;

pub use package::packages;

use crate::{Tree, Violation};
use package::Package;

/// All violations of the layers.
pub fn check(packages: &[Package], tree: &Tree) -> Vec<Violation> {
    let mut violations = direction::check(packages);
    violations.extend(technology::check(packages));
    violations.extend(endpoints::check(tree));
    for violation in &mut violations {
        violation.locate(tree);
    }
    violations
}
