//! The files of the workspace, in memory, so that every rule is a function over text.

use std::{collections::BTreeSet, fs, io, path::Path};

/// Folders that hold no sources, wherever they are.
const SKIPPED: &[&str] = &[".git", ".heddle", "node_modules", "out", "target"];

/// Endings of the files whose text is read.
const TEXTS: &[&str] = &["css", "html", "js", "json", "md", "rs", "sh", "sql", "toml", "yaml", "yml"];

/// The files of a workspace.
#[derive(Debug, Default)]
pub struct Tree {
    /// The texts, in the order of their paths.
    pub files: Vec<File>,
    /// Paths of all files and folders, texts or not, relative to the workspace.
    pub paths: BTreeSet<String>,
}

/// A text file.
#[derive(Debug)]
pub struct File {
    /// Path relative to the workspace, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Tree {
    /// Reads the workspace in `root`. Symbolic links are not followed.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.walk(root, "")?;
        Ok(tree)
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if SKIPPED.contains(&name.as_str()) {
                continue;
            }
            let path = format!("{prefix}{name}");
            self.paths.insert(path.clone());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.walk(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() && is_text(&name) {
                let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
                self.files.push(File { path, text });
            }
        }
        Ok(())
    }

    /// A tree for tests of rules.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.files.push(File { path: (*path).to_owned(), text: (*text).to_owned() });
            for (at, _) in path.match_indices('/') {
                tree.paths.insert(path[..at].to_owned());
            }
            tree.paths.insert((*path).to_owned());
        }
        tree
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is("rs"))
    }
}

/// Scripts without an ending, such as `dev` and `.ci/run`, are texts too.
fn is_text(name: &str) -> bool {
    name.rsplit_once('.').is_none_or(|(stem, ending)| stem.is_empty() || TEXTS.contains(&ending))
}

impl File {
    /// Whether the file's name has this ending.
    pub fn is(&self, ending: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, own)| own == ending)
    }

    /// The name without its ending.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Whether the whole file is a test: in a folder `tests`, or a module `tests`.
    pub fn is_test(&self) -> bool {
        self.stem() == "tests" || self.path.split('/').any(|folder| folder == "tests")
    }

    /// The lines with their numbers, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// The lines of a Rust file that are part of the product: no comments, and nothing under `#[cfg(test)]`.
    pub fn product_lines(&self) -> Vec<(usize, &str)> {
        let mut lines = self.lines();
        let mut product = Vec::new();
        if self.is_test() {
            return product;
        }
        while let Some((number, line)) = lines.next() {
            match line.trim_start() {
                "#[cfg(test)]" => skip_item(line, &mut lines),
                code if code.starts_with("//") => {}
                _ => product.push((number, line)),
            }
        }
        product
    }
}

/// Skips the item that follows an attribute: up to its `;`, or to the brace that closes it, which rustfmt puts
/// under the attribute.
fn skip_item<'a>(attribute: &str, lines: &mut impl Iterator<Item = (usize, &'a str)>) {
    let indent = &attribute[..attribute.len() - attribute.trim_start().len()];
    let mut opened = false;
    for (_, line) in lines {
        let line = line.strip_prefix(indent).unwrap_or("");
        let ends_here = line.ends_with(';') && !line.starts_with(' ');
        if line.starts_with('}') || (!opened && (ends_here || line.ends_with("{}"))) {
            return;
        }
        opened |= line.ends_with('{');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(text: &str) -> Vec<usize> {
        let tree = Tree::of(&[("a/src/x.rs", text)]);
        tree.files[0].product_lines().iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn tests_are_not_product_but_what_follows_them_is() {
        assert_eq!(product("use a;\n#[cfg(test)]\nmod tests;\nfn f() {}\n"), [1, 4]);
        assert_eq!(product("#[cfg(test)]\nmod tests {\n    fn f() {\n    }\n}\nfn g() {}\n"), [6]);
        assert_eq!(
            product("impl A {\n    #[cfg(test)]\n    fn f() {\n        g();\n    }\n    fn h();\n}\n"),
            [1, 6, 7]
        );
        assert_eq!(product("// a comment\n//! and one more\nfn f() {}\n"), [3]);
    }

    #[test]
    fn files_of_tests_are_known_by_their_place() {
        let tree =
            Tree::of(&[("a/tests/x.rs", "fn f() {}"), ("a/src/x/tests.rs", ""), ("a/src/testsuite.rs", "")]);
        let tests: Vec<_> = tree.files.iter().map(File::is_test).collect();
        assert_eq!(tests, [true, true, false]);
        assert!(tree.files[0].product_lines().is_empty());
    }

    #[test]
    fn texts_are_known_by_their_ending() {
        for (name, text) in
            [("a.rs", true), ("dev", true), (".gitignore", true), ("a.png", false), ("a.lock", false)]
        {
            assert_eq!(is_text(name), text, "{name}");
        }
    }
}
