//! What commands print: text for a person, or JSON for a program.

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

/// How a command prints its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Text for a person.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Prints a line on standard output.
#[expect(clippy::print_stdout, reason = "a command's result belongs on standard output")]
pub fn line(text: &str) {
    println!("{text}");
}

/// Prints one JSON object on standard output.
pub fn json(value: &impl Serialize) {
    line(&serde_json::to_string(value).expect("a result serialises"));
}

/// Prints why a command failed.
#[expect(clippy::print_stderr, reason = "a command's failure belongs on standard error")]
pub fn fail(reason: &str) -> ExitCode {
    eprintln!("heddle: {reason}");
    ExitCode::FAILURE
}
