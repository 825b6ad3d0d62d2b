//! Every crate says what it is for: in its manifest and at the top of its root module.

use crate::{Tree, Violation, source::File};

/// Every crate has a description and a documentation of its root modules.
pub fn check(tree: &Tree) -> Vec<Violation> {
    tree.files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .flat_map(|file| crate_of(file, tree))
        .collect()
}

fn crate_of(manifest: &File, tree: &Tree) -> Vec<Violation> {
    let table: toml::Table = match toml::from_str(&manifest.text) {
        Ok(table) => table,
        Err(error) => return vec![Violation::new(&manifest.path, 1, "no TOML", error.message())],
    };
    let Some(package) = table.get("package") else { return Vec::new() };
    let mut violations = Vec::new();
    let description = package.get("description").and_then(toml::Value::as_str).unwrap_or("");
    if description.trim().is_empty() {
        let line =
            manifest.lines().find(|(_, line)| line.starts_with("description")).map_or(1, |(line, _)| line);
        let remedy = "say in one sentence what the crate is for";
        violations.push(Violation::new(&manifest.path, line, "no description", remedy));
    }
    let folder = manifest.path.trim_end_matches("Cargo.toml");
    for root in ["src/lib.rs", "src/main.rs"].map(|root| format!("{folder}{root}")) {
        let Some(file) = tree.files.iter().find(|file| file.path == root) else { continue };
        if !file.text.starts_with("//! ") {
            let remedy = "begin it with `//!`: what the crate is for, and what is deliberately absent";
            violations.push(Violation::new(&root, 1, "a crate without documentation", remedy));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(manifest: &str, root: &str) -> Vec<String> {
        let tree = Tree::of(&[("a/Cargo.toml", manifest), ("a/src/lib.rs", root)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_crate_says_what_it_is_for() {
        let described = "[package]\nname = \"a\"\ndescription = \"Does things\"\n";
        assert!(complaints(described, "//! Does things.\n").is_empty());
        let found = complaints(described, "use a;\n//! Late.\n");
        assert!(found[0].starts_with("a/src/lib.rs:1: a crate without documentation"), "{found:?}");
        for text in ["[package]\nname = \"a\"\n", "[package]\nname = \"a\"\ndescription = \" \"\n"] {
            assert!(complaints(text, "//! Does things.\n")[0].contains("no description"), "{text}");
        }
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_noticed_and_a_workspace_is_no_crate() {
        assert!(complaints("[package", "//! Does things.\n")[0].contains("no TOML"));
        assert!(complaints("[workspace]\n", "//! Does things.\n").is_empty());
    }
}
