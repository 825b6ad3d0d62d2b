//! Reads a TOML document and collects every mistake, each with its line.

use std::{collections::BTreeSet, fmt};

use toml::{
    Spanned,
    de::{DeArray, DeInteger, DeTable, DeValue},
};

use super::{
    settings::{self, Kind},
    source::{Document, Origin},
};

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line in the file, from 1; `None` when something is missing.
    pub line: Option<usize>,
    /// The variable or the flag that it is in, if it is not in the file.
    pub outside: Option<Origin>,
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
            match (&mistake.outside, mistake.line) {
                (Some(origin), _) => write!(f, "\n  {origin}: {}", mistake.what)?,
                (None, Some(line)) => write!(f, "\n  line {line}: {}", mistake.what)?,
                (None, None) => write!(f, "\n  {}", mistake.what)?,
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
    document: &'a Document<'a>,
    /// Where the whole table comes from, if it is not in the file.
    outside: Option<&'a Origin>,
    known: BTreeSet<&'static str>,
    mistakes: Vec<Mistake>,
}

impl<'a> Section<'a> {
    /// The whole document.
    pub fn root(document: &'a Document<'a>) -> Self {
        Self::at(document, Some(document.table), String::new(), None)
    }

    fn at(
        document: &'a Document<'a>,
        table: Option<&'a DeTable<'a>>,
        path: String,
        outside: Option<&'a Origin>,
    ) -> Self {
        Self { table, path, document, outside, known: BTreeSet::new(), mistakes: Vec::new() }
    }

    /// A table below this one; an absent one reads as empty.
    pub fn section(&mut self, key: &'static str) -> Section<'a> {
        let table = self.typed(key, "a table", DeValue::as_table);
        Self::at(self.document, table, self.name(key), self.outside)
    }

    /// The tables of an array below this one, as `[[key]]` writes them; an absent one reads as empty.
    pub fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let Some(list) = self.typed(key, "a list of tables", DeValue::as_array) else { return Vec::new() };
        let outside = self.find(key).and_then(|(_, outside)| outside);
        let mut sections = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let path = format!("{}[{index}]", self.name(key));
            match value.get_ref().as_table() {
                Some(table) => sections.push(Self::at(self.document, Some(table), path, outside)),
                None => self.wrong_at(value.span().start, outside, format!("'{path}' must be a table")),
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

    /// A whole number within the limits that the table of settings gives it.
    pub fn integer(&mut self, key: &'static str) -> Option<u64> {
        let (least, most) = self.range(key);
        let number = self.typed(key, "a whole number", DeValue::as_integer)?;
        match whole(number).filter(|value| (least..=most).contains(value)) {
            Some(value) => Some(value),
            None => {
                self.wrong(key, format!("'{}' must be from {least} to {most}", self.name(key)));
                None
            }
        }
    }

    /// As [`Section::integer`]; the default of the table of settings, unless it is there.
    pub fn number(&mut self, key: &'static str) -> u64 {
        let usual = settings::at(&self.name(key)).and_then(settings::Setting::default_number);
        self.integer(key).or(usual).unwrap_or_default()
    }

    /// The limits that the table of settings gives a number.
    fn range(&self, key: &str) -> (u64, u64) {
        match settings::at(&self.name(key)).map(|setting| setting.kind) {
            Some(Kind::Integer(least, most) | Kind::Numbers(least, most)) => (least, most),
            _ => (0, u64::MAX),
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
        let list: &DeArray<'_> = self.typed(key, "a list of texts", DeValue::as_array)?;
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
        let outside = self.find(key).and_then(|(_, outside)| outside);
        let mut pairs = Vec::new();
        for (name, value) in table {
            match value.get_ref().as_str() {
                Some(text) => pairs.push((name.get_ref().to_string(), text.to_owned())),
                None => {
                    let what = format!("'{}.{}' must be a text in quotes", self.name(key), name.get_ref());
                    self.wrong_at(value.span().start, outside, what);
                }
            }
        }
        pairs
    }

    /// A table of whole numbers with keys of the user's choice, within the limits that the table of settings gives them.
    pub fn numbers(&mut self, key: &'static str) -> Vec<(String, u64)> {
        let (least, most) = self.range(key);
        let Some(table) = self.typed(key, "a table of numbers", DeValue::as_table) else { return Vec::new() };
        let outside = self.find(key).and_then(|(_, outside)| outside);
        let mut numbers = Vec::new();
        for (name, value) in table {
            match value
                .get_ref()
                .as_integer()
                .and_then(whole)
                .filter(|number| (least..=most).contains(number))
            {
                Some(number) => numbers.push((name.get_ref().to_string(), number)),
                None => {
                    let name = name.get_ref();
                    let what =
                        format!("'{}.{name}' must be a whole number from {least} to {most}", self.name(key));
                    self.wrong_at(value.span().start, outside, what);
                }
            }
        }
        numbers
    }

    /// Whether the key is there at all, or one below it.
    pub fn has(&self, key: &str) -> bool {
        let name = self.name(key);
        let below = |path: &&str| path.strip_prefix(&*name).is_some_and(|rest| rest.starts_with('.'));
        self.find(key).is_some() || self.document.overrides.keys().any(below)
    }

    /// Reports a mistake about `key`.
    pub fn wrong(&mut self, key: &str, what: String) {
        match self.find(key) {
            Some((value, outside)) => self.wrong_at(value.span().start, outside, what),
            None => self.mistakes.push(Mistake { line: None, outside: self.outside.cloned(), what }),
        }
    }

    fn wrong_at(&mut self, offset: usize, outside: Option<&Origin>, what: String) {
        let line = outside.is_none().then(|| self.document.line(offset));
        self.mistakes.push(Mistake { line, outside: outside.cloned(), what });
    }

    /// The value that counts, and where it comes from, if not from the file.
    fn find(&self, key: &str) -> Option<(&'a Spanned<DeValue<'a>>, Option<&'a Origin>)> {
        match self.document.overrides.get(self.name(key).as_str()) {
            Some((value, origin)) => Some((*value, Some(*origin))),
            None => self.table?.get(key).map(|value| (value, self.outside)),
        }
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
            self.wrong_at(key.span().start, self.outside, what);
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
        let name = self.name(key);
        debug_assert!(settings::is_declared(&name), "'{name}' is not in the table of settings");
        let (value, outside) = self.find(key)?;
        let typed = read(value.get_ref());
        if typed.is_none() {
            let what = format!("'{}' must be {expected}, not {}", self.name(key), value.get_ref().type_str());
            self.wrong_at(value.span().start, outside, what);
        }
        typed
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// The known key that `name` is most likely meant to be: at most a third of its letters differ.
fn closest<'k>(name: &str, known: &BTreeSet<&'k str>) -> Option<&'k str> {
    closest_within(name, known, name.len().max(3) / 3)
}

/// The known key that differs by the fewest letters from `name`, and by `most` at most.
pub(super) fn closest_within<'k>(name: &str, known: &BTreeSet<&'k str>, most: usize) -> Option<&'k str> {
    let (distance, key) = known.iter().map(|key| (edit_distance(name, key), *key)).min()?;
    (distance <= most).then_some(key)
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

/// A whole number as it is written, hexadecimal or with underscores for instance.
fn whole(number: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}

/// What is wrong with the text of a URL: it is shown, unless it may hold a password.
pub(super) fn not_that(text: &str) -> String {
    if text.contains('@') {
        "without a name and a password in it".to_owned()
    } else {
        format!("not '{text}'")
    }
}

/// Whether a URL names somebody, or holds a password: secrets are named by the files that hold them.
pub(super) fn names_somebody(url: &url::Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
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
