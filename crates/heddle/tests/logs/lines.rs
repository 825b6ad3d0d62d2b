//! Log lines, as a person with `grep` and `jq` would read them.

use std::{fmt, path::Path};

use serde_json::Value;

/// One line.
pub struct Line {
    raw: String,
    fields: Value,
}

impl Line {
    /// The text of a field.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields[name].as_str()
    }

    /// Whether a field has this text.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.text(name) == Some(value)
    }

    /// The line as it was written.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// What happened: the action, and for messages which.
    fn step(&self) -> String {
        let action = self.text("action").unwrap_or_default();
        match self.text("message_type") {
            Some(message) => format!("{action} {message}"),
            None => action.to_owned(),
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

/// The lines of a log. Each is one JSON object: whatever else stood there would be found here.
pub fn read(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).expect("a log is text");
    let line = |raw: &str| {
        let fields: Value = serde_json::from_str(raw).unwrap_or_else(|error| panic!("{error} in {raw}"));
        Line { raw: raw.to_owned(), fields }
    };
    text.lines().map(line).collect()
}

/// The lines about a participant context.
pub fn story_of<'a>(log: &'a [Line], context: &str) -> Vec<&'a Line> {
    log.iter().filter(|line| line.is("participant_context_id", context)).collect()
}

/// The first lines that tell `steps` one after the other.
pub fn in_order<'a>(story: &[&'a Line], steps: &[&str]) -> Vec<&'a Line> {
    let mut rest = story.iter();
    let mut found = Vec::new();
    for step in steps {
        let line = rest.find(|line| line.step() == *step).unwrap_or_else(|| {
            let all: Vec<String> = story.iter().map(|line| line.step()).collect();
            panic!("'{step}' is missing, or not behind those before it of {steps:?}, in\n{}", all.join("\n"))
        });
        found.push(*line);
    }
    found
}
