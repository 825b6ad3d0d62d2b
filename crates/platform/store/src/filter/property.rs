//! Properties: what a document can be asked by, as rows.

use serde_json::Value;

use super::scalar::Scalar;

/// Longest path, in bytes; what lies at a longer one cannot be asked for.
pub const PATH_BYTES_MAX: usize = 256;
/// Most values that one document can be asked by. What a client writes is refused when it has more
/// ([`Properties::is_complete`]).
pub const PROPERTIES_MAX: usize = 1_000;
/// How deep objects and lists are looked into.
const DEPTH_MAX: usize = 16;

/// One value at a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Names with dots in between.
    pub path: String,
    /// 0 for a value that stands alone; the elements of a list count from 1.
    pub item: u32,
    /// The value.
    pub value: Scalar,
}

/// The properties of one document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Properties {
    rows: Vec<Property>,
    incomplete: bool,
}

impl Properties {
    /// With what `value` holds at `path`: a scalar as it is, the elements of a list under the same path, the members
    /// of an object under theirs. Null is nothing. A value that a list holds twice counts once.
    #[must_use]
    pub fn with(mut self, path: &str, value: &Value) -> Self {
        self.add(path, value, false, 0);
        self
    }

    /// With a text.
    #[must_use]
    pub fn with_text(mut self, path: &str, text: &str) -> Self {
        self.push(path, Scalar::from_text(text), false);
        self
    }

    /// With a whole number, such as a time in milliseconds.
    #[must_use]
    pub fn with_number(mut self, path: &str, number: i64) -> Self {
        self.push(path, Scalar::from_number(&number.into()), false);
        self
    }

    /// Whether every value found a place: paths are short enough, objects flat enough, and values not too many.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Property] {
        &self.rows
    }

    /// The rows.
    #[must_use]
    pub fn into_rows(self) -> Vec<Property> {
        self.rows
    }

    fn add(&mut self, path: &str, value: &Value, in_list: bool, depth: usize) {
        if depth > DEPTH_MAX {
            self.incomplete = true;
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add(path, item, true, depth + 1)),
            Value::Object(members) => {
                for (name, member) in members {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.add(&below, member, in_list, depth + 1);
                }
            }
            scalar => {
                if let Some(value) = Scalar::of(scalar) {
                    self.push(path, value, in_list);
                }
            }
        }
    }

    fn push(&mut self, path: &str, value: Scalar, in_list: bool) {
        if path.len() > PATH_BYTES_MAX || path.contains('\0') || self.rows.len() >= PROPERTIES_MAX {
            self.incomplete = true;
            return;
        }
        let there: Vec<&Property> = self.rows.iter().filter(|row| row.path == path).collect();
        if in_list && there.iter().any(|row| row.item > 0 && row.value == value) {
            return;
        }
        let last = there.iter().map(|row| row.item).max();
        let item = match (last, in_list) {
            (None, false) => 0,
            (None, true) => 1,
            // One row of a path has a place below 2: what is sorted by the path goes by that.
            (Some(last), _) => last.max(1) + 1,
        };
        self.rows.push(Property { path: path.to_owned(), item, value });
    }
}

/// A path as clients write it (`name`, `'https://x.example/a.b'.c`), as properties have it: names without quotes and
/// without `namespace`, joined by dots.
#[must_use]
pub fn path_of(written: &str, namespace: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut rest = written;
    loop {
        let (name, further) = match rest.strip_prefix('\'').and_then(|quoted| quoted.split_once('\'')) {
            Some((name, after)) => (name, after.strip_prefix('.')),
            // A full IRI without quotes has dots of its own.
            None if rest.contains("://") => (rest, None),
            None => rest.split_once('.').map_or((rest, None), |(name, after)| (name, Some(after))),
        };
        names.push(name.strip_prefix(namespace).filter(|short| !short.is_empty()).unwrap_or(name));
        match further {
            Some(after) => rest = after,
            None => return names.join("."),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(value: &Value) -> Vec<(String, u32, String)> {
        let rows = Properties::default().with("", value).into_rows();
        rows.into_iter().map(|row| (row.path, row.item, row.value.text().to_owned())).collect()
    }

    #[test]
    fn documents_become_flat() {
        let document =
            json!({"a": 1, "b": {"c": "x", "n": null}, "l": ["p", "q", "p"], "o": [{"k": 1}, {"k": 2}]});
        let row = |path: &str, item, text: &str| (path.to_owned(), item, text.to_owned());
        let expected = [
            row("a", 0, "1"),
            row("b.c", 0, "x"),
            row("l", 1, "p"),
            row("l", 2, "q"),
            row("o.k", 1, "1"),
            row("o.k", 2, "2"),
        ];
        assert_eq!(rows(&document), expected);
    }

    #[test]
    fn two_ways_to_one_path_have_rows_of_their_own() {
        let both = rows(&json!({"a": {"b": 1}, "a.b": 2}));
        assert_eq!(both.iter().map(|row| row.1).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn what_has_no_place_is_told() {
        let long = "x".repeat(PATH_BYTES_MAX + 1);
        assert!(!Properties::default().with(&long, &json!(1)).is_complete());
        let many: Vec<usize> = (0..=PROPERTIES_MAX).collect();
        assert!(!Properties::default().with("many", &json!(many)).is_complete());
    }

    #[test]
    fn paths_lose_quotes_and_their_namespace() {
        let plain = |written| path_of(written, "https://n.example/");
        assert_eq!(plain("name"), "name");
        assert_eq!(plain("'https://n.example/name'"), "name");
        assert_eq!(plain("https://n.example/name"), "name");
        assert_eq!(plain("'https://x.example/a.b'.c.'d'"), "https://x.example/a.b.c.d");
        assert_eq!(plain("privateProperties.'k'"), "privateProperties.k");
        assert_eq!(plain("'https://x.example/a'.@id"), "https://x.example/a.@id");
    }
}
