//! Words that have no place in the sources, and calls that have another one.

use crate::{Tree, Violation, source::File};

// Written in two halves, so that the rules do not find themselves.
const UNFINISHED: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("not written", " yet")];
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
const BESIDE: &str = concat!("../sha", "red");
const SUPPRESSIONS: [&str; 2] = [concat!("#[", "allow("), concat!("#![", "allow(")];

/// Crates that talk to a person on standard output.
const SPEAKERS: [&str; 4] = ["crates/heddle/", "xtask/", "conformance/", "bench/"];

/// Crates whose handlers answer with wire structs.
const HANDLERS: [&str; 2] = ["crates/runtime/", "crates/management/"];

/// No unfinished work, no paths of a machine, no suppressed lints, no printing, no JSON by hand.
pub fn check(tree: &Tree) -> Vec<Violation> {
    tree.files.iter().flat_map(|file| [everywhere(file), in_rust(file)].concat()).collect()
}

fn everywhere(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in file.lines() {
        let mut say =
            |what: String, remedy| violations.push(Violation::new(&file.path, number, what, remedy));
        for word in UNFINISHED.into_iter().filter(|word| has_word(line, word)) {
            say(format!("'{word}'"), "do it, or say in prose what is deliberately absent");
        }
        for path in MACHINE_PATHS.into_iter().filter(|path| has_path(line, path)) {
            say(format!("'{path}' is a path of one machine"), "name places relative to the repository");
        }
        if line.contains(BESIDE) && !file.is_test() && !(file.is("rs") && in_tests(file, number)) {
            say(
                format!("'{BESIDE}' lies outside of the repository"),
                "cite the specification by its name and section",
            );
        }
    }
    violations
}

fn in_rust(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !file.is("rs") {
        return violations;
    }
    let begins = |folders: &[&str]| folders.iter().any(|folder| file.path.starts_with(folder));
    let (speaks, handles) = (begins(&SPEAKERS), begins(&HANDLERS));
    for (number, line) in
        file.lines().filter(|(_, line)| SUPPRESSIONS.iter().any(|allow| line.contains(allow)))
    {
        let what = format!("a lint is suppressed in '{}'", line.trim());
        violations.push(Violation::new(&file.path, number, what, "use #[expect(lint, reason = \"…\")]"));
    }
    for (number, line) in file.product_lines() {
        if !speaks && ["print!(", "println!("].iter().any(|call| line.contains(call)) {
            let remedy = "use tracing, with the message readable alone and the rest as fields";
            violations.push(Violation::new(&file.path, number, "printing from a library", remedy));
        }
        if handles && has_word(line, "json!") {
            let remedy = "answer with a wire struct that serialises";
            violations.push(Violation::new(&file.path, number, "JSON built by hand", remedy));
        }
    }
    violations
}

fn in_tests(file: &File, number: usize) -> bool {
    let comment = file.lines().any(|(at, line)| at == number && line.trim_start().starts_with("//"));
    !comment && file.product_lines().iter().all(|(at, _)| *at != number)
}

/// Whether `word` stands in a line by itself and is no part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        let open_ended = word.ends_with('!');
        !line[..at].ends_with(part) && (open_ended || !after.is_some_and(part))
    })
}

/// Whether an absolute path begins so in a line. `https://host/home/` and `a/home/b` are no such paths.
fn has_path(line: &str, path: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '*');
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = "crates/runtime/data-plane/src/flow.rs";

    fn complaints(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn unfinished_work_is_noticed() {
        for word in UNFINISHED {
            assert_eq!(complaints(LIBRARY, &format!("// {word}: later\n")), 1, "{word}");
            assert_eq!(complaints("docs/a.md", &format!("{word}\n")), 1, "{word}");
            assert_eq!(complaints(LIBRARY, &format!("// A{word}S\n")), 0, "part of a longer word");
        }
    }

    #[test]
    fn paths_of_one_machine_are_noticed() {
        for path in MACHINE_PATHS {
            assert_eq!(complaints("deploy/unit.toml", &format!("dir = \"{path}x\"\n")), 1, "{path}");
            assert_eq!(complaints("docs/a.md", &format!("https://example.com{path}x\n")), 0, "{path}");
        }
    }

    #[test]
    fn what_lies_outside_is_for_tests_alone() {
        let line = format!("let a = \"{BESIDE}/spec\";\n");
        assert_eq!(complaints(LIBRARY, &line), 1);
        assert_eq!(complaints(LIBRARY, &format!("#[cfg(test)]\nmod tests {{\n    {line}}}\n")), 0);
        assert_eq!(complaints(LIBRARY, &format!("// {line}")), 1, "comments are read by people");
        assert_eq!(complaints("crates/protocols/dps/tests/schemas.rs", &line), 0);
        assert_eq!(complaints("README.md", &line), 1);
    }

    #[test]
    fn suppressed_lints_are_noticed_even_in_tests() {
        for allow in SUPPRESSIONS {
            let text = format!("{allow}dead_code)]\nfn f() {{}}\n");
            assert_eq!(complaints(LIBRARY, &text), 1);
            assert_eq!(complaints("crates/protocols/dps/tests/schemas.rs", &text), 1);
        }
        assert_eq!(complaints(LIBRARY, "#[expect(dead_code, reason = \"why\")]\n"), 0);
    }

    #[test]
    fn libraries_do_not_print() {
        for call in ["println!(\"a\");", "eprintln!(\"a\");", "print!(\"a\");"] {
            assert_eq!(complaints(LIBRARY, &format!("fn f() {{\n    {call}\n}}\n")), 1, "{call}");
            assert_eq!(complaints("crates/heddle/src/main.rs", call), 0);
            assert_eq!(complaints("crates/protocols/dps/tests/schemas.rs", call), 0);
        }
    }

    #[test]
    fn handlers_do_not_build_json() {
        assert_eq!(complaints(LIBRARY, "let a = serde_json::json!({});\n"), 1);
        assert_eq!(complaints("crates/management/agent/src/lib.rs", "let a = json!([]);\n"), 1);
        assert_eq!(complaints(LIBRARY, "#[cfg(test)]\nmod tests {\n    let a = json!({});\n}\n"), 0);
        assert_eq!(complaints("crates/protocols/dsp/src/lib.rs", "let a = json!({});\n"), 0);
        assert_eq!(complaints(LIBRARY, "ldjson!();\n"), 0);
    }
}
