//! Links between documents lead somewhere.

use crate::{Tree, Violation, source::File};

/// Every relative link of a Markdown file leads to a file or folder of the workspace.
pub fn check(tree: &Tree) -> Vec<Violation> {
    tree.files.iter().filter(|file| file.is("md")).flat_map(|file| dead_links(file, tree)).collect()
}

fn dead_links(file: &File, tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut fenced = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        for target in links(line).filter(|_| !fenced) {
            if !resolves(&file.path, target, tree) {
                let what = format!("the link to '{target}' leads nowhere");
                violations.push(Violation::new(&file.path, number, what, "correct or remove it"));
            }
        }
    }
    violations
}

/// The targets of `[text](target "title")` in a line, outside of `code`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let prose = line.split('`').step_by(2);
    prose.flat_map(|text| {
        text.split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', ' ']).next())
            .map(|to| to.trim_matches(['<', '>']))
    })
}

fn resolves(from: &str, target: &str, tree: &Tree) -> bool {
    let path = target.split('#').next().unwrap_or("");
    let elsewhere = ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme));
    if elsewhere || path.is_empty() {
        return !target.is_empty();
    }
    let mut steps: Vec<&str> = from.split('/').collect();
    steps.pop();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.pop().is_none() => return false,
            ".." => {}
            name => steps.push(name),
        }
    }
    steps.is_empty() || tree.paths.contains(&steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let tree = Tree::of(&[("docs/guide/a.md", text), ("docs/b.md", ""), ("README.md", "")]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_lead_somewhere() {
        let text =
            "[b](../b.md#part), [home](../../README.md), [web](https://example.com), [here](#x), [docs](../)";
        assert_eq!(complaints(text), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_noticed() {
        let found = complaints("see\n[one](../c.md) and [two](b.md)\n");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("docs/guide/a.md:2: the link to '../c.md' leads nowhere"), "{found:?}");
        assert_eq!(complaints("[out](../../../secret.md)").len(), 1, "what is outside is not ours");
        assert_eq!(complaints("[nothing]()").len(), 1);
    }

    #[test]
    fn code_is_not_read() {
        assert!(complaints("`[a](x.md)`\n```\n[a](x.md)\n```\n").is_empty());
    }
}
