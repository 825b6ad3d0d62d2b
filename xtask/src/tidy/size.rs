//! Files and functions that a person can take in, and clean line ends.

use crate::{Tree, Violation, source::File};

/// Most lines of a Rust file, its tests included.
const FILE_LINES_MAX: usize = 400;

/// Most lines of code of a function, without comments and empty lines.
const FUNCTION_LINES_MAX: usize = 70;

/// No long file, no long function, no tab, no space at the end of a line.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations: Vec<_> = tree.files.iter().flat_map(white_space).collect();
    for file in tree.rust() {
        let lines = file.lines().count();
        if lines > FILE_LINES_MAX {
            let what = format!("{lines} lines, and {FILE_LINES_MAX} are allowed");
            violations.push(Violation::new(
                &file.path,
                lines,
                what,
                "split it into modules by what they are for",
            ));
        }
        violations.extend(long_functions(file));
    }
    violations
}

fn white_space(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in file.lines() {
        if line.contains('\t') {
            violations.push(Violation::new(&file.path, number, "a tab", "use spaces"));
        }
        if line.ends_with(' ') {
            violations.push(Violation::new(
                &file.path,
                number,
                "a space at the end of the line",
                "remove it",
            ));
        }
    }
    violations
}

/// Relies on rustfmt: the brace that closes a function stands under its first letter.
fn long_functions(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    let lines: Vec<&str> = file.text.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
        let indent = &line[..line.len() - line.trim_start().len()];
        let (end, declared) = (format!("{indent}}}"), format!("{indent})"));
        let ends = |line: &str| line == end || (line.starts_with(&declared) && line.ends_with(';'));
        let code = |line: &&&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let length = lines[at + 1..].iter().take_while(|line| !ends(line)).filter(code).count();
        if !line.ends_with([';', '}']) && length > FUNCTION_LINES_MAX {
            let what = format!("a function of {length} lines, and {FUNCTION_LINES_MAX} are allowed");
            violations.push(Violation::new(&file.path, at + 1, what, "name its parts as functions"));
        }
    }
    violations
}

fn begins_function(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| {
        matches!(*word, "pub" | "async" | "const" | "default" | "extern" | "\"C\"")
            || word.starts_with("pub(")
    });
    words.next() == Some("fn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        check(&Tree::of(&[("a/src/lib.rs", text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_long_file_is_noticed() {
        assert!(complaints(&"use a;\n".repeat(FILE_LINES_MAX)).is_empty());
        let found = complaints(&"use a;\n".repeat(FILE_LINES_MAX + 1));
        assert!(found[0].starts_with("a/src/lib.rs:401: 401 lines"), "{found:?}");
    }

    #[test]
    fn a_long_function_is_noticed() {
        let function = |lines| {
            format!(
                "mod a {{\n    pub(super) async fn f() {{\n{}    }}\n}}\n",
                "        g();\n".repeat(lines)
            )
        };
        assert!(complaints(&function(FUNCTION_LINES_MAX)).is_empty());
        let found = complaints(&function(FUNCTION_LINES_MAX + 1));
        assert!(found[0].starts_with("a/src/lib.rs:2: a function of 71 lines"), "{found:?}");
        let commented =
            function(FUNCTION_LINES_MAX).replace("        g();\n", "        // why\n\n        g();\n");
        assert!(complaints(&commented).is_empty(), "comments and empty lines do not count");
    }

    #[test]
    fn declarations_are_no_functions_with_a_body() {
        let text = format!("trait A {{\n    fn f();\n{}}}\n", "    fn g();\n".repeat(FUNCTION_LINES_MAX + 1));
        assert!(complaints(&text).is_empty());
        let wrapped = text.replacen("fn f();", "fn f(\n        a: A,\n    );", 1);
        assert!(complaints(&wrapped).is_empty());
    }

    #[test]
    fn white_space_is_noticed_in_every_text() {
        let found = check(&Tree::of(&[("README.md", "a\tb\nc \n")]));
        assert_eq!(found.len(), 2);
    }
}
