//! What is known of one setting.

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text in quotes.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Boolean,
    /// A whole number from the first to the last.
    Integer(u64, u64),
    /// A number from 0 to 1.
    Ratio,
    /// A list of texts.
    Texts,
    /// A table of texts, with keys of the user's choice.
    Pairs,
    /// A table of whole numbers from the first to the last, with keys of the user's choice.
    Numbers(u64, u64),
    /// A list of tables; their settings have keys that begin with this one and `[]`.
    Tables,
}

/// What is hidden when a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// Nothing.
    Open,
    /// The password of a URL.
    Password,
    /// All of it.
    Hidden,
}

/// What is at the path that a setting names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileUse {
    /// A file that only the server's user may be able to read.
    Secret,
    /// A file that anybody may read.
    Public,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its path, such as `database.url`; `[]` stands for each table of a list.
    pub key: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// The value that counts if none is given, as TOML; without one, the meaning says what happens then.
    pub default: Option<&'static str>,
    /// A value, as TOML, for a setting without a default.
    pub example: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// What is hidden.
    pub secrecy: Secrecy,
    /// What it is the path of.
    pub file: Option<FileUse>,
    /// What it means, in sentences.
    pub meaning: &'static str,
}

impl Setting {
    /// With a value that counts if none is given, as TOML.
    pub(super) const fn new(
        key: &'static str,
        kind: Kind,
        default: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { default: Some(default), ..Self::open(key, kind, default, meaning) }
    }

    /// Without such a value; with an example.
    pub(super) const fn open(
        key: &'static str,
        kind: Kind,
        example: &'static str,
        meaning: &'static str,
    ) -> Self {
        let (unit, secrecy) = ("", Secrecy::Open);
        Self { key, kind, default: None, example, unit, secrecy, file: None, meaning }
    }

    pub(super) const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    pub(super) const fn secrecy(self, secrecy: Secrecy) -> Self {
        Self { secrecy, ..self }
    }

    pub(super) const fn file(self, file: FileUse) -> Self {
        Self { file: Some(file), ..self }
    }

    /// The variable of the environment that sets it; the tables of a list are set with their list.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        let plain = !self.key.contains('[');
        plain.then(|| format!("HEDDLE_{}", self.key.replace('.', "_").to_uppercase()))
    }

    /// What its value may be, in words.
    #[must_use]
    pub fn limits(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        match self.kind {
            Kind::Text => "text".to_owned(),
            Kind::Choice(choices) => choices.join(" or "),
            Kind::Boolean => "true or false".to_owned(),
            Kind::Integer(least, most) => format!("{least} to {most}{unit}"),
            Kind::Ratio => "0.0 to 1.0".to_owned(),
            Kind::Texts => "list of texts".to_owned(),
            Kind::Pairs => "table of texts".to_owned(),
            Kind::Numbers(least, most) => format!("table of numbers, {least} to {most}{unit}"),
            Kind::Tables => "list of tables".to_owned(),
        }
    }

    /// The default number.
    #[must_use]
    pub fn default_number(&self) -> Option<u64> {
        self.default?.parse().ok()
    }
}
