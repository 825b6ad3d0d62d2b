//! What commands print: text for a person, or JSON for a program.

use std::{
    io::{self, Write},
    process::ExitCode,
};

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
pub fn line(text: &str) {
    // Whoever reads may have gone (`heddle demo | head -1`); that is no reason to stop half-way.
    drop(writeln!(io::stdout().lock(), "{text}"));
}

/// Prints one JSON object on standard output.
pub fn json(value: &impl Serialize) {
    line(&serde_json::to_string(value).expect("a result serialises"));
}

/// Prints why a command failed.
#[expect(clippy::print_stderr, reason = "a command's failure belongs on standard error")]
pub fn fail(reason: &str) -> ExitCode {
    eprintln!("heddle: {}", plain(reason));
    ExitCode::FAILURE
}

/// What failed and why: the error and its causes, each once. Many errors name their cause in the middle of their own
/// sentence.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if sentence.is_empty() {
            sentence = cause;
        } else if !sentence.contains(&cause) {
            sentence = format!("{sentence}: {cause}");
        }
    }
    sentence
}

/// Without the operating system's error numbers: the words before them say the same to a person.
pub fn plain(text: &str) -> String {
    const NUMBER: &str = " (os error ";
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once(NUMBER) {
        let digits = after.trim_start_matches(|c: char| c.is_ascii_digit());
        plain.push_str(before);
        rest = if let Some(behind) = digits.strip_prefix(')') {
            behind
        } else {
            plain.push_str(NUMBER);
            after
        };
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = std::io::Error::other("the disk is full");
        let error = anyhow::Error::new(cause).context("a: the disk is full; make room").context("b");
        assert_eq!(sentence(&error), "b: a: the disk is full; make room");
    }

    #[test]
    fn numbers_of_the_operating_system_are_left_out_and_nothing_else() {
        let text = "a: No such file or directory (os error 2); b: (os error x) is text (os error 13)";
        assert_eq!(plain(text), "a: No such file or directory; b: (os error x) is text");
    }
}
