//! `heddle doctor`.

use clap::Args;
use heddle_clock::Environment;
use serde::Serialize;

use super::{
    output::{self, Format},
    place::Place,
};
use crate::{
    doctor::{self, Finding, Verdict},
    home::Home,
};

/// Arguments of `heddle doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    place: Place,
    /// A running server that is looked at from outside; without it, and without a configuration or a directory, the one
    /// that was started last.
    #[arg(long, conflicts_with_all = ["config", "data_dir", "pairs"])]
    server: Option<String>,
    /// How to print.
    #[arg(short, long, default_value = "text")]
    output: Format,
}

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    findings: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    verdict: &'static str,
    tried: &'a str,
    happened: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'a str>,
}

impl Doctor {
    /// Tries everything and prints. Something that does not work is a failure; a warning is none.
    pub async fn run(self) -> anyhow::Result<()> {
        let environment = Environment::system();
        let findings = match (&self.server, self.place.is_named()) {
            (Some(url), _) => doctor::of_server(url.trim_end_matches('/'), &environment).await,
            (None, false) => doctor::of_server(&Home::of_user().newest()?, &environment).await,
            (None, true) => doctor::of_configuration(&self.place.sources()?, &environment).await,
        };
        let failures = findings.iter().filter(|finding| finding.verdict == Verdict::Failure).count();
        match self.output {
            Format::Json => {
                let findings = findings.iter().map(shown).collect();
                output::json(&Report { ok: failures == 0, findings });
            }
            Format::Text => findings.iter().flat_map(lines).for_each(|line| output::line(&line)),
        }
        let things = if failures == 1 { "one thing does" } else { "things do" };
        anyhow::ensure!(
            failures == 0,
            "{}{things} not work; what to do stands beside each",
            if failures == 1 { String::new() } else { format!("{failures} ") }
        );
        Ok(())
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Failure => "failure",
    }
}

fn shown(finding: &Finding) -> Shown<'_> {
    Shown {
        name: finding.name,
        verdict: word(finding.verdict),
        tried: &finding.tried,
        happened: output::plain(&finding.happened),
        advice: finding.advice.as_deref(),
    }
}

fn lines(finding: &Finding) -> Vec<String> {
    let happened = output::plain(&finding.happened);
    let mut lines =
        vec![format!("{:<8} {:<22} {}: {happened}", word(finding.verdict), finding.name, finding.tried)];
    lines.extend(finding.advice.as_ref().map(|advice| format!("{:>31} to do: {advice}", "")));
    lines
}
