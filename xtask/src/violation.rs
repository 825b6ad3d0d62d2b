//! Something to put right, and where.

use std::fmt;

use crate::Tree;

/// One violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    path: String,
    line: usize,
    what: String,
    remedy: String,
    /// In a manifest, the dependency whose line it is about.
    dependency: Option<String>,
}

impl Violation {
    /// A violation at a line (counted from 1) of a file. `remedy` says what to do.
    pub fn new(
        path: impl Into<String>,
        line: usize,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), line, what: what.into(), remedy: remedy.into(), dependency: None }
    }

    /// A violation by a dependency in a manifest, whose line [`Self::locate`] finds.
    pub fn at(
        manifest: impl Into<String>,
        dependency: &str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { dependency: Some(dependency.to_owned()), ..Self::new(manifest, 1, what, remedy) }
    }

    /// Finds the line of the dependency that this is about.
    pub fn locate(&mut self, tree: &Tree) {
        let Some(dependency) = &self.dependency else { return };
        let names = |line: &str| {
            line.strip_prefix(dependency.as_str()).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
        };
        let manifest = tree.files.iter().find(|file| file.path == self.path);
        if let Some((line, _)) = manifest.and_then(|file| file.lines().find(|(_, line)| names(line))) {
            self.line = line;
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.what, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_found_in_its_manifest() {
        let tree =
            Tree::of(&[("a/Cargo.toml", "[dependencies]\ntokio-util = \"0.7\"\ntokio.workspace = true\n")]);
        let mut violation = Violation::at("a/Cargo.toml", "tokio", "what", "remedy");
        violation.locate(&tree);
        assert_eq!(violation.to_string(), "a/Cargo.toml:3: what; remedy");
    }
}
