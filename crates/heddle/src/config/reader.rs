//! Reads a TOML document and collects every mistake, each with its line.

use std::{collections::BTreeSet, fmt};

use toml::de::{DeTable, DeValue};

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line in the file, from 1; `None` when something is missing.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub what: String,
}

/// Everything that is wrong with a configuration, at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mistakes {
    /// The file, for the message.
    pub file: String,
    /// In the order of the file's sections.
    pub list: Vec<Mistake>,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has {} mistake{}",
            self.file,
            self.list.len(),
            if self.list.len() == 1 { "" } else { "s" }
        )?;
        for mistake in &self.list {
            match mistake.line {
                Some(line) => write!(f, "\n  line {line}: {}", mistake.what)?,
                None => write!(f, "\n  {}", mistake.what)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// One table of the document. Every accessor notes the key as known; [`Section::end`] reports the others.
pub struct Section<'a> {
    table: Option<&'a DeTable<'a>>,
    path: String,
    text: &'a str,
    known: BTreeSet<&'static str>,
    mistakes: Vec<Mistake>,
}

impl<'a> Section<'a> {
    /// The whole document.
    pub fn root(table: &'a DeTable<'a>, text: &'a str) -> Self {
        Self { table: Some(table), path: String::new(), text, known: BTreeSet::new(), mistakes: Vec::new() }
    }

    /// A table below this one; an absent one reads as empty.
    pub fn section(&mut self, key: &'static str) -> Section<'a> {
        let table = self.typed(key, "a table", DeValue::as_table);
        Section { table, path: self.name(key), text: self.text, known: BTreeSet::new(), mistakes: Vec::new() }
    }

    /// The tables of an array below this one, as `[[key]]` writes them; an absent one reads as empty.
    pub fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let Some(list) = self.typed(key, "a list of tables", DeValue::as_array) else { return Vec::new() };
        let mut sections = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let path = format!("{}[{index}]", self.name(key));
            match value.get_ref().as_table() {
                Some(table) => sections.push(Section {
                    table: Some(table),
                    path,
                    text: self.text,
                    known: BTreeSet::new(),
                    mistakes: Vec::new(),
                }),
                None => {
                    let line = Some(self.line(value.span().start));
                    self.mistakes.push(Mistake { line, what: format!("'{path}' must be a table") });
                }
            }
        }
        sections
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.typed(key, "a text in quotes", DeValue::as_str).map(str::to_owned)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    /// A whole number from `least` to `most`.
    pub fn integer(&mut self, key: &'static str, (least, most): (u64, u64)) -> Option<u64> {
        let number = self.typed(key, "a whole number", DeValue::as_integer)?;
        let value = u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok();
        match value.filter(|value| (least..=most).contains(value)) {
            Some(value) => Some(value),
            None => {
                self.wrong(key, format!("'{}' must be from {least} to {most}", self.name(key)));
                None
            }
        }
    }

    /// A number from 0 to 1.
    pub fn ratio(&mut self, key: &'static str) -> Option<f64> {
        let number = self.typed(key, "a number from 0 to 1", |value| match value {
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
            _ => None,
        })?;
        if (0.0..=1.0).contains(&number) {
            return Some(number);
        }
        self.wrong(key, format!("'{}' must be a number from 0 to 1", self.name(key)));
        None
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let list = self.typed(key, "a list of texts", DeValue::as_array)?;
        let texts: Vec<String> =
            list.iter().filter_map(|v| v.get_ref().as_str().map(str::to_owned)).collect();
        if texts.len() != list.len() {
            self.wrong(key, format!("'{}' must hold texts only", self.name(key)));
        }
        Some(texts)
    }

    /// A table of texts with keys of the user's choice.
    pub fn pairs(&mut self, key: &'static str) -> Vec<(String, String)> {
        let Some(table) = self.typed(key, "a table of texts", DeValue::as_table) else { return Vec::new() };
        let mut pairs = Vec::new();
        for (name, value) in table {
            match value.get_ref().as_str() {
                Some(text) => pairs.push((name.get_ref().to_string(), text.to_owned())),
                None => {
                    let what = format!("'{}.{}' must be a text in quotes", self.name(key), name.get_ref());
                    self.mistakes.push(Mistake { line: Some(self.line(value.span().start)), what });
                }
            }
        }
        pairs
    }

    /// A table of whole numbers from `least` to `most`, with keys of the user's choice.
    pub fn numbers(&mut self, key: &'static str, (least, most): (u64, u64)) -> Vec<(String, u64)> {
        let Some(table) = self.typed(key, "a table of numbers", DeValue::as_table) else { return Vec::new() };
        let mut numbers = Vec::new();
        for (name, value) in table {
            let read =
                value.get_ref().as_integer().and_then(|number| number.as_str().replace('_', "").parse().ok());
            match read.filter(|number| (least..=most).contains(number)) {
                Some(number) => numbers.push((name.get_ref().to_string(), number)),
                None => {
                    let name = name.get_ref();
                    let what =
                        format!("'{}.{name}' must be a whole number from {least} to {most}", self.name(key));
                    self.mistakes.push(Mistake { line: Some(self.line(value.span().start)), what });
                }
            }
        }
        numbers
    }

    /// Whether the key is there at all.
    pub fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.get(key).is_some())
    }

    /// Reports a mistake about `key`.
    pub fn wrong(&mut self, key: &str, what: String) {
        let line = self.table.and_then(|t| t.get(key)).map(|value| self.line(value.span().start));
        self.mistakes.push(Mistake { line, what });
    }

    /// Reports the keys that nobody has asked for, and hands over all mistakes.
    pub fn end(mut self) -> Vec<Mistake> {
        for (key, _) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if self.known.contains(name) {
                continue;
            }
            let hint = match closest(name, &self.known) {
                Some(known) => format!("; did you mean '{known}'?"),
                None => String::new(),
            };
            let what = format!("'{}' is not a setting{hint}", self.name(name));
            self.mistakes.push(Mistake { line: Some(self.line(key.span().start)), what });
        }
        self.mistakes
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        self.known.insert(key);
        let value = self.table?.get(key)?;
        let typed = read(value.get_ref());
        if typed.is_none() {
            let what = format!("'{}' must be {expected}, not {}", self.name(key), value.get_ref().type_str());
            self.mistakes.push(Mistake { line: Some(self.line(value.span().start)), what });
        }
        typed
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset.min(self.text.len())].iter().filter(|b| **b == b'\n').count() + 1
    }
}

/// The known key that `name` is most likely meant to be: at most a third of its letters differ.
fn closest<'k>(name: &str, known: &BTreeSet<&'k str>) -> Option<&'k str> {
    let (distance, key) = known.iter().map(|key| (edit_distance(name, key), *key)).min()?;
    (distance <= name.len().max(3) / 3).then_some(key)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_are_recognised_and_strangers_are_not() {
        let known = BTreeSet::from(["listen", "public_url", "roles"]);
        assert_eq!(closest("lisen", &known), Some("listen"));
        assert_eq!(closest("public_ulr", &known), Some("public_url"));
        assert_eq!(closest("colour", &known), None);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
