//! Checks that hold the shape of the workspace, as commands and as tests.
//!
//! - `cargo xtask layers`: dependencies point down only, and each outside technology has one home.
//! - `cargo xtask tidy`: sizes, words, documentation and links that no compiler looks at.
//!
//! A violation is one line: `path:line: what is wrong; what to do`. To add a rule: a function from the sources
//! to violations beside the others in [`layers`] or [`tidy`], one line in their `check`, and a test which
//! proves that it can fail.
//!
//! Deliberately absent: what rustfmt and clippy do already, and exceptions for single files.

mod layers;
mod source;
mod tidy;
mod violation;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use source::Tree;
use violation::Violation;

const USAGE: &str = "usage: cargo xtask layers | tidy";

fn main() -> anyhow::Result<ExitCode> {
    let command = std::env::args().nth(1).unwrap_or_default();
    let tree = Tree::read(&root())?;
    let violations = match command.as_str() {
        "layers" => layers::check(&layers::packages(&root())?, &tree),
        "tidy" => tidy::check(&tree),
        _ => anyhow::bail!(USAGE),
    };
    report(&command, violations, &mut io::stdout().lock())
}

/// Prints violations in the order of their places; any is a failure.
fn report(command: &str, mut violations: Vec<Violation>, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    violations.sort();
    for violation in &violations {
        writeln!(out, "{violation}")?;
    }
    match violations.len() {
        0 => writeln!(out, "{command}: nothing to complain about")?,
        count => writeln!(out, "{command}: {count} to put right")?,
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_none(mut violations: Vec<Violation>) {
        violations.sort();
        let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }

    #[test]
    fn the_workspace_keeps_its_layers() {
        let packages = layers::packages(&root()).expect("cargo describes the workspace");
        assert!(packages.len() > 10, "cargo describes the workspace");
        assert_none(layers::check(&packages, &Tree::read(&root()).expect("is readable")));
    }

    #[test]
    fn the_workspace_is_tidy() {
        let tree = Tree::read(&root()).expect("is readable");
        assert!(tree.files.len() > 50, "the tree was read");
        assert_none(tidy::check(&tree));
    }

    #[test]
    fn a_report_is_sorted_and_any_violation_is_a_failure() {
        let found = vec![Violation::new("b", 1, "late", "x"), Violation::new("a", 2, "early", "y")];
        let mut out = Vec::new();
        let code = report("tidy", found, &mut out).expect("is written");
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, "a:2: early; y\nb:1: late; x\ntidy: 2 to put right\n");
        let code = report("tidy", Vec::new(), &mut Vec::new()).expect("is written");
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    }
}
