//! Which crate of the workspace may depend on which other.

use super::package::Package;
use crate::Violation;

/// The part of the tree that a crate belongs to, from bottom to top. Tools stand beside the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Base,
    Protocols,
    Platform,
    Runtime,
    Management,
    Portal,
    Heddle,
    EndToEnd,
    Examples,
    Tools,
}

impl Part {
    const FOLDERS: [(&'static str, Self); 12] = [
        ("crates/base", Self::Base),
        ("crates/protocols", Self::Protocols),
        ("crates/platform", Self::Platform),
        ("crates/runtime", Self::Runtime),
        ("crates/management", Self::Management),
        ("crates/portal", Self::Portal),
        ("crates/heddle", Self::Heddle),
        ("bench", Self::Tools),
        ("conformance", Self::Tools),
        ("e2e", Self::EndToEnd),
        ("examples", Self::Examples),
        ("xtask", Self::Tools),
    ];

    fn of(package: &Package) -> Option<Self> {
        Self::FOLDERS.into_iter().find(|(folder, _)| package.is_in(folder)).map(|(_, part)| part)
    }

    const fn layer(self) -> usize {
        match self {
            Self::Base => 0,
            Self::Protocols => 1,
            Self::Platform => 2,
            // An example is what a crate of layer 3 could be, with a binary of its own.
            Self::Runtime | Self::Management | Self::Portal | Self::Examples => 3,
            Self::Heddle | Self::Tools => 4,
            Self::EndToEnd => 5,
        }
    }

    /// Why a crate of this part may not depend on one of another, and what to do instead.
    fn objection(self, on: Self) -> Option<(&'static str, &'static str)> {
        const DOWN: &str = "dependencies point down only: move what is shared into a lower layer";
        const PORT: &str = "let them meet through a port in crates/platform or a message in crates/protocols";
        match (self, on) {
            // Whole stories start whole servers.
            (Self::EndToEnd, Self::Heddle) => None,
            (_, Self::Heddle) => Some(("nothing depends on the binary", DOWN)),
            (_, Self::EndToEnd) => Some(("nothing depends on the end-to-end tests", DOWN)),
            (_, Self::Examples) => Some(("nothing depends on an example", "copy what it shows")),
            (_, Self::Tools) => Some(("nothing depends on the tools", DOWN)),
            (from, to) if from.layer() < to.layer() => {
                Some(("a lower layer may not know a higher one", DOWN))
            }
            (from, to) if from.layer() > to.layer() => None,
            (Self::Examples, _) => Some(("an example stands on the platform alone", DOWN)),
            (Self::Runtime, Self::Runtime) => Some(("runtime crates do not import one another", PORT)),
            (Self::Runtime, _) => Some(("the runtime never calls management or the portal", PORT)),
            (Self::Management, Self::Runtime) => {
                Some(("management reaches the runtime only over its Administration APIs", "call the API"))
            }
            (Self::Management, Self::Portal) => Some(("management does not know the portal", DOWN)),
            (Self::Portal, Self::Runtime | Self::Management) => {
                Some(("the portal is a client like any other", "call the public API"))
            }
            _ => None,
        }
    }
}

/// Every dependency between crates of the workspace, those of tests included, follows the layers.
pub fn check(packages: &[Package]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages {
        let Some(part) = Part::of(package) else {
            let remedy = "put it into a folder that has a layer, or give its folder one";
            let what = format!("'{}' belongs to no layer", package.name);
            violations.push(Violation::new(package.manifest(), 1, what, remedy));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(on) = packages.iter().find(|other| other.name == dependency.name) else { continue };
            if let Some((why, remedy)) = Part::of(on).and_then(|on| part.objection(on)) {
                let what = format!("'{}' depends on '{}', but {why}", package.name, on.name);
                violations.push(Violation::at(package.manifest(), &on.name, what, remedy));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Violations when a crate of the first folder depends on one of the second.
    fn objections(from: &str, on: &str) -> usize {
        check(&[Package::of(&format!("{from}/from"), &["on"]), Package::of(&format!("{on}/on"), &[])]).len()
    }

    #[test]
    fn the_whole_matrix() {
        let folders = Part::FOLDERS.map(|(folder, _)| folder);
        let allowed = [
            ("crates/base", "x..........."),
            ("crates/protocols", "xx.........."),
            ("crates/platform", "xxx........."),
            ("crates/runtime", "xxx........."),
            ("crates/management", "xxx.x......."),
            ("crates/portal", "xxx..x......"),
            ("crates/heddle", "xxxxxx......"),
            ("bench", "xxxxxx......"),
            ("conformance", "xxxxxx......"),
            ("e2e", "xxxxxxx....."),
            ("examples", "xxx........."),
            ("xtask", "xxxxxx......"),
        ];
        for (from, row) in allowed {
            let found: String =
                folders.iter().map(|on| if objections(from, on) == 0 { 'x' } else { '.' }).collect();
            assert_eq!(found, row, "{from} on {folders:?}");
        }
    }

    #[test]
    fn tests_are_under_the_same_rule() {
        let packages =
            [Package::of("crates/protocols/dsp", &["dev:web"]), Package::of("crates/platform/web", &[])];
        assert_eq!(check(&packages).len(), 1);
    }

    #[test]
    fn a_crate_without_a_layer_is_noticed() {
        let violations = check(&[Package::of("crates/misc/odd", &[])]);
        assert!(
            violations[0].to_string().starts_with("crates/misc/odd/Cargo.toml:1: 'odd' belongs to no layer")
        );
    }
}
