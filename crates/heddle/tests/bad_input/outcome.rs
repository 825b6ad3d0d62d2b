//! What a command came to, and what a person or a program gets to read.

use std::process::Output;

/// A command that has ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    /// The one sentence of a failed command. Log lines are JSON objects and stand beside it.
    pub fn sentence(&self) -> &str {
        assert_eq!(self.code, Some(1), "{self:?}");
        self.looks_like_words();
        let said: Vec<&str> = self.stderr.lines().filter(|line| !is_log(line)).collect();
        let [sentence] = said.as_slice() else { panic!("one sentence: {said:#?}") };
        sentence.strip_prefix("heddle: ").unwrap_or_else(|| panic!("who says it: {sentence}"))
    }

    /// The sentence holds all of `parts`.
    pub fn says(&self, parts: &[&str]) {
        let sentence = self.sentence();
        for part in parts {
            assert!(sentence.contains(part), "'{part}' is missing: {sentence}");
        }
    }

    /// Nothing of a programmer's is shown.
    pub fn looks_like_words(&self) {
        let lines = self.stdout.lines().chain(self.stderr.lines());
        let everything: Vec<&str> = lines.filter(|line| !is_log(line)).collect();
        let everything = everything.join("\n");
        for mark in ["panicked", "backtrace", "os error", "Error {", "Os {", "Some(", "Err(", ".rs:", "::"] {
            assert!(!everything.contains(mark), "'{mark}' is no word: {everything}");
        }
    }
}

fn is_log(line: &str) -> bool {
    line.starts_with("{\"timestamp\":")
}
