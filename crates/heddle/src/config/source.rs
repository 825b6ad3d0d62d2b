//! Where values come from: flags, then variables of the environment, then the file, then the defaults.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::settings::{self, Kind, Setting};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody has set it.
    Default,
    /// A line of the file, from 1.
    Line(usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// A value from outside the file, as a document with the one key `v`.
#[derive(Debug, Clone)]
struct Override {
    key: &'static str,
    document: String,
    origin: Origin,
}

/// Where a configuration is read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file; without one, the defaults count for what nobody sets.
    pub file: Option<PathBuf>,
    overrides: Vec<Override>,
    strangers: Vec<String>,
}

/// A setting that does not exist, or may not be set so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownSetting {
    /// There is none of this name.
    #[error("'{0}' is not a setting; 'heddle config show' lists them")]
    Unknown(String),
    /// What is not `KEY=VALUE`.
    #[error("'{0}' must be a setting and its value, such as log.format=text")]
    NoValue(String),
    /// It is of a table of a list.
    #[error("'{0}' cannot be set alone; set the whole list '{1}'")]
    OfList(String, String),
}

impl Sources {
    /// A file, or none, and nothing else.
    #[must_use]
    pub fn of(file: Option<&Path>) -> Self {
        Self { file: file.map(Path::to_owned), ..Self::default() }
    }

    /// The variables of this process's environment as well.
    #[must_use]
    pub fn with_environment(self) -> Self {
        self.with_variables(std::env::vars_os())
    }

    /// These variables as well. Those that are for no setting are left alone: an orchestrator makes some of its own.
    #[must_use]
    pub fn with_variables(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        for (name, value) in variables {
            let (Some(name), value) = (name.to_str(), value.to_string_lossy()) else { continue };
            if !name.starts_with("HEDDLE_") {
                continue;
            }
            match settings::of_variable(name) {
                Some(setting) => self.add(setting, &value, Origin::Variable(name.to_owned())),
                None => self.strangers.push(name.to_owned()),
            }
        }
        self
    }

    /// A value that a flag of the command line gives; it wins over all others.
    ///
    /// # Errors
    /// When there is no such setting.
    pub fn set(&mut self, key: &str, value: &str, flag: &str) -> Result<(), UnknownSetting> {
        let Some(setting) = settings::at(key) else {
            return Err(UnknownSetting::Unknown(key.to_owned()));
        };
        if let Some((list, _)) = setting.key.split_once("[]") {
            return Err(UnknownSetting::OfList(key.to_owned(), list.to_owned()));
        }
        self.add(setting, value, Origin::Flag(flag.to_owned()));
        Ok(())
    }

    /// As [`Sources::set`], of `KEY=VALUE`.
    ///
    /// # Errors
    /// When it is not, or there is no such setting.
    pub fn set_pair(&mut self, pair: &str, flag: &str) -> Result<(), UnknownSetting> {
        let (key, value) = pair.split_once('=').ok_or_else(|| UnknownSetting::NoValue(pair.to_owned()))?;
        self.set(key.trim(), value, &format!("{flag} {}", key.trim()))
    }

    /// Variables that look like a setting's, and are none: the name, and the one that is probably meant.
    #[must_use]
    pub fn misspelt(&self) -> Vec<(String, String)> {
        let known: Vec<String> = settings::all().filter_map(Setting::variable).collect();
        let known: std::collections::BTreeSet<&str> = known.iter().map(String::as_str).collect();
        let meant = |name: &String| {
            let meant = super::reader::closest_within(name, &known, 3)?;
            Some((name.clone(), meant.to_owned()))
        };
        self.strangers.iter().filter_map(meant).collect()
    }

    fn add(&mut self, setting: &'static Setting, value: &str, origin: Origin) {
        self.overrides.push(Override { key: setting.key, document: document(setting.kind, value), origin });
    }

    /// The values from outside the file, by their keys.
    pub(super) fn parse(&self) -> Parsed<'_> {
        let mut parsed = BTreeMap::new();
        // The later wins: flags come after variables.
        for given in &self.overrides {
            if let Ok(table) = DeTable::parse(&given.document) {
                parsed.insert(given.key, (table, &given.origin));
            }
        }
        parsed
    }
}

/// Documents with the one key `v`, by keys of settings.
pub(super) type Parsed<'a> = BTreeMap<&'static str, (Spanned<DeTable<'a>>, &'a Origin)>;

/// What is read: a file's document, and what wins over it.
pub(super) struct Document<'a> {
    pub table: &'a DeTable<'a>,
    pub text: &'a str,
    pub overrides: BTreeMap<&'static str, (&'a Spanned<DeValue<'a>>, &'a Origin)>,
}

impl<'a> Document<'a> {
    pub(super) fn new(table: &'a DeTable<'a>, text: &'a str, parsed: &'a Parsed<'a>) -> Self {
        let value = |(key, (table, origin)): (&&'static str, &'a (Spanned<DeTable<'a>>, &'a Origin))| {
            table.get_ref().get("v").map(|value| (*key, (value, *origin)))
        };
        Self { table, text, overrides: parsed.iter().filter_map(value).collect() }
    }

    /// The line of a place in the file's text, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset.min(self.text.len())].iter().filter(|b| **b == b'\n').count() + 1
    }
}

/// Texts need no quotes in a variable or a flag, and lists of them only commas; everything else is written as in the file.
fn document(kind: Kind, value: &str) -> String {
    let trimmed = value.trim();
    let raw = match kind {
        Kind::Text | Kind::Choice(_) => quoted(value),
        Kind::Texts if !trimmed.starts_with('[') => {
            let parts = trimmed.split(',').map(str::trim).filter(|part| !part.is_empty());
            format!("[{}]", parts.map(quoted).collect::<Vec<_>>().join(", "))
        }
        _ => trimmed.to_owned(),
    };
    let document = format!("v = {raw}");
    match DeTable::parse(&document) {
        Ok(table) if table.get_ref().len() == 1 => document,
        // A text in its place: the reader says what it expects instead.
        _ => format!("v = {}", quoted(value)),
    }
}

/// A text in quotes, as TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_need_no_quotes_and_lists_of_them_only_commas() {
        assert_eq!(document(Kind::Text, r#"a "b" \ c"#), r#"v = "a \"b\" \\ c""#);
        assert_eq!(document(Kind::Texts, "a, b,"), r#"v = ["a", "b"]"#);
        assert_eq!(document(Kind::Texts, r#"["a"]"#), r#"v = ["a"]"#);
        assert_eq!(document(Kind::Integer(0, 9), " 7 "), "v = 7");
        assert_eq!(document(Kind::Boolean, "yes"), r#"v = "yes""#);
        assert_eq!(document(Kind::Boolean, "true\nw = 1"), r#"v = "true\u000Aw = 1""#);
    }

    #[test]
    fn settings_that_are_none_are_refused_and_variables_only_when_they_look_like_one() {
        let mut sources = Sources::default();
        assert!(sources.set("log.colour", "x", "--set").is_err());
        assert!(sources.set("auth.issuers[].issuer", "x", "--set").is_err());
        assert!(sources.set_pair("log.format", "--set").is_err());
        let names =
            ["HEDDLE_DATBASE_URL", "HEDDLE_SERVICE_HOST", "HEDDLE_PORT_7979_TCP", "HOME", "HEDDLE_URL"];
        let sources = sources.with_variables(names.map(|name| (name.into(), "x".into())));
        assert_eq!(sources.misspelt(), [("HEDDLE_DATBASE_URL".to_owned(), "HEDDLE_DATABASE_URL".to_owned())]);
    }
}
