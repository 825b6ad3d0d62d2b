//! Reads JUnit's XML report: how many tests passed, failed, were skipped.

use std::{fmt, path::Path};

use anyhow::Context;

/// The counts of a run. A test that could not start counts as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl Counts {
    /// Whether something ran and nothing failed.
    pub const fn is_good(&self) -> bool {
        self.passed > 0 && self.failed == 0
    }

    /// Of the report in a folder.
    pub fn of(reports: &Path) -> anyhow::Result<Self> {
        let path = reports.join("TEST-junit-jupiter.xml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("the suite left no report at {}", path.display()))?;
        Self::parse(&text)
    }

    /// The attributes of the report's root element are its summary.
    fn parse(text: &str) -> anyhow::Result<Self> {
        let root = text.split("<testsuite").nth(1).and_then(|rest| rest.split('>').next());
        let root = root.context("the report has no testsuite element")?;
        let attribute = |name: &str| -> anyhow::Result<u32> {
            let value = root.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
            Ok(value.with_context(|| format!("the report has no '{name}'"))?.parse()?)
        };
        let (tests, skipped) = (attribute("tests")?, attribute("skipped")?);
        let failed = attribute("failures")? + attribute("errors")?;
        Ok(Self { passed: tests.saturating_sub(failed + skipped), failed, skipped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_failures_too() {
        let report = r#"<?xml version="1.0"?><testsuite name="JUnit Jupiter" tests="6" skipped="1" failures="1" errors="2" time="3">"#;
        let counts = Counts::parse(report).expect("a report");
        assert_eq!(counts, Counts { passed: 2, failed: 3, skipped: 1 });
        assert!(!counts.is_good());
        assert!(Counts::parse("<other/>").is_err());
        assert!(!Counts { passed: 0, failed: 0, skipped: 4 }.is_good(), "nothing ran");
    }
}
