//! `heddle config`: a new file, what is wrong with one, and what counts.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::{
    output::{self, Format},
    place::Place,
};
use crate::config::{
    self, ConfigurationError, Mistake, Origin, Shown, Sources,
    new_file::{self, Variant},
    settings::Secrecy,
};

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Write a new configuration file with every setting, its meaning, limits and default.
    Init(Init),
    /// Tell everything that is wrong with a configuration and with the files that it names. Changes nothing.
    Check(Check),
    /// Show every setting, its value without secrets, and where that comes from.
    Show(Show),
}

/// Arguments of `heddle config init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The file to write.
    #[arg(default_value = "heddle.toml")]
    file: PathBuf,
    /// For several processes on PostgreSQL.
    #[arg(long)]
    production: bool,
    /// The URL by which the world will reach the server.
    #[arg(long)]
    public_url: Option<String>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

/// Arguments of `heddle config check`.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    place: Place,
    /// How to print.
    #[arg(short, long, default_value = "text")]
    output: Format,
}

/// Arguments of `heddle config show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    place: Place,
    /// How to print.
    #[arg(short, long, default_value = "table")]
    output: Shape,
    /// Only what somebody has set.
    #[arg(long)]
    set_only: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// A line for each setting.
    Table,
    /// One JSON object.
    Json,
    /// A configuration file with the same meaning, but for what is hidden.
    Toml,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    ok: bool,
    mistakes: Vec<Told>,
    hints: Vec<String>,
}

#[derive(Serialize)]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    what: String,
}

#[derive(Serialize)]
struct Listed<'a> {
    settings: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    key: &'a str,
    /// As TOML.
    value: Option<&'a str>,
    hidden: bool,
    origin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl Config {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Init(arguments) => arguments.run(),
            Self::Check(arguments) => arguments.run(),
            Self::Show(arguments) => arguments.run(),
        }
    }
}

impl Init {
    fn run(self) -> anyhow::Result<()> {
        let variant = if self.production { Variant::Production } else { Variant::Embedded };
        let text = new_file::text(variant, self.public_url.as_deref());
        if self.public_url.is_some() {
            // What cannot be used is not written.
            config::parse(&text, &self.file, Path::new("."))?;
        }
        write(&self.file, &text, self.force)?;
        output::line(&format!("{} is written (mode 0600).", self.file.display()));
        let file = self.file.display();
        if self.production && self.public_url.is_none() {
            output::line("Put your public URL into it, in place of https://data.invalid.");
        }
        output::line(&format!("Then try: heddle config check --config {file}"));
        Ok(())
    }
}

fn write(path: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    if force {
        return crate::home::write_private(path, text.as_bytes())
            .map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", path.display()));
    }
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match opened.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            anyhow::bail!(
                "{} is there already; name another file, or replace it with --force",
                path.display()
            )
        }
        Err(error) => Err(anyhow::anyhow!("{} cannot be written: {error}", path.display())),
    }
}

/// What may be meant otherwise than it is taken.
fn hints(sources: &Sources) -> Vec<String> {
    let hint = |(name, meant): (String, String)| {
        format!("the variable {name} is for no setting and has no effect; did you mean {meant}?")
    };
    sources.misspelt().into_iter().map(hint).collect()
}

impl Check {
    fn run(self) -> anyhow::Result<()> {
        let sources = self.place.sources()?;
        let checked = config::check(&sources);
        let hints = hints(&sources);
        if self.output == Format::Json {
            let mistakes = match &checked {
                Ok(_) => Vec::new(),
                Err(ConfigurationError::Mistaken(mistakes)) => mistakes.list.iter().map(told).collect(),
                Err(error) => vec![Told { line: None, origin: None, what: error.to_string() }],
            };
            output::json(&Checked { ok: checked.is_ok(), mistakes, hints });
        } else {
            hints.iter().for_each(|hint| output::line(hint));
        }
        let loaded = checked?;
        if self.output == Format::Text {
            let set = loaded.shown.iter().filter(|shown| shown.origin != Origin::Default).count();
            let file = sources
                .file
                .as_ref()
                .map_or("the configuration".to_owned(), |file| file.display().to_string());
            output::line(&format!(
                "{file} is right: {set} settings are set, and the files that they name can be used."
            ));
        }
        Ok(())
    }
}

fn told(mistake: &Mistake) -> Told {
    let origin = mistake.outside.as_ref().map(ToString::to_string);
    Told { line: mistake.line, origin, what: mistake.what.clone() }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        let sources = self.place.sources()?;
        let mut shown = config::read(&sources)?.shown;
        if self.set_only {
            shown.retain(|shown| shown.origin != Origin::Default);
        }
        let file = sources.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        match self.output {
            Shape::Table => table(&shown, &file).iter().for_each(|line| output::line(line)),
            Shape::Json => {
                output::json(&Listed { settings: shown.iter().map(|shown| entry(shown, &file)).collect() });
            }
            Shape::Toml => toml(&shown, &file).iter().for_each(|line| output::line(line)),
        }
        Ok(())
    }
}

fn place(origin: &Origin, file: &str) -> String {
    match origin {
        Origin::Line(line) => format!("{file}, line {line}"),
        other => other.to_string(),
    }
}

fn table(shown: &[Shown], file: &str) -> Vec<String> {
    const NONE: &str = "-";
    let value = |shown: &Shown| shown.value.clone().unwrap_or_else(|| NONE.to_owned());
    let keys = shown.iter().map(|shown| shown.key.len()).max().unwrap_or_default();
    let values = shown.iter().map(|shown| value(shown).chars().count()).max().unwrap_or_default().min(48);
    let line = |shown: &Shown| {
        format!("{:<keys$}  {:<values$}  {}", shown.key, value(shown), place(&shown.origin, file))
    };
    shown.iter().map(line).collect()
}

fn entry<'a>(shown: &'a Shown, file: &str) -> Entry<'a> {
    let (origin, line, name) = match &shown.origin {
        Origin::Default => ("default", None, None),
        Origin::Line(line) => ("file", Some(*line), None),
        Origin::Variable(name) => ("variable", None, Some(name.as_str())),
        Origin::Flag(name) => ("flag", None, Some(name.as_str())),
    };
    let file = line.map(|_| file.to_owned());
    Entry { key: &shown.key, value: shown.value.as_deref(), hidden: shown.hidden, origin, file, line, name }
}

/// Values of tables of lists are in the value of their list.
fn toml(shown: &[Shown], file: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut section = "";
    for shown in shown.iter().filter(|shown| !shown.key.contains('[')) {
        let Some(value) = &shown.value else { continue };
        let (table, name) = shown.key.rsplit_once('.').unwrap_or(("", &shown.key));
        if table != section {
            lines.push(format!("\n[{table}]"));
            section = table;
        }
        let hidden = shown.hidden && shown.setting.secrecy != Secrecy::Open;
        let mark = if hidden { "# hidden: " } else { "" };
        lines.push(format!("{mark}{name} = {value}  # {}", place(&shown.origin, file)));
    }
    lines
}
