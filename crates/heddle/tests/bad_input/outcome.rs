//! What a command came to, and what a person or a program gets to read.

use std::{
    process::{Child, Output},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::server::end;

/// How long a command may take that does something, on a machine with a lot to do.
const PATIENCE: Duration = Duration::from_secs(120);

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
    /// Waits for the end of a command that should refuse to go on. One that goes on is ended.
    pub fn of(child: Child) -> Self {
        let id = child.id();
        let (ended, ends) = mpsc::channel();
        // It may end after the test has given up.
        thread::spawn(move || drop(ended.send(child.wait_with_output().expect("it ends"))));
        if let Ok(output) = ends.recv_timeout(PATIENCE) {
            return output.into();
        }
        end(id);
        panic!("it goes on: {:?}", ends.recv().map(Self::from));
    }

    /// The one sentence of a failed command. Log lines are JSON objects and stand beside it.
    pub fn sentence(&self) -> &str {
        assert_eq!(self.code, Some(1), "{self:?}");
        self.looks_like_words();
        let said: Vec<&str> = self.stderr.lines().filter(|line| !is_log(line)).collect();
        let [sentence] = said.as_slice() else { panic!("one sentence: {said:#?}") };
        // Clauses of a sentence; the parts of a URL are none.
        let is_clause = |part: &&str| !part.starts_with('/') && part.trim().contains(' ');
        let mut clauses: Vec<&str> = sentence.split([':', ';']).map(str::trim).filter(is_clause).collect();
        clauses.sort_unstable();
        assert!(clauses.windows(2).all(|pair| pair[0] != pair[1]), "said twice: {sentence}");
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
    line.starts_with('{') && line.contains("\"timestamp\":")
}
