//! `heddle audit`: reads the audit log where it is stored, beside a server that runs or without one.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use heddle_ids::ParticipantContextId;
use heddle_store::audit::{AuditHead, AuditQuery, SealedRecord, verify};
use heddle_tenancy::Owner;
use serde::Serialize;

use super::output::{self, Format};
use crate::{
    config::{self, Configuration, Sources},
    server,
};

/// Entries that are read at a time.
const PAGE: u32 = 500;

/// Arguments of `heddle audit`.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    /// Check that the log is the one that was sealed: nothing changed, removed, added or moved.
    Verify(Verify),
    /// Print sealed entries, oldest first.
    List(List),
}

/// Where the log is.
#[derive(Debug, Args)]
struct Where {
    /// The configuration file of the server.
    #[arg(long, conflicts_with = "data_dir")]
    config: Option<PathBuf>,
    /// The data directory of a server with an embedded database.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, default_value = "text")]
    output: Format,
}

/// Arguments of `heddle audit verify`.
#[derive(Debug, Args)]
struct Verify {
    #[command(flatten)]
    place: Where,
    /// An end of the log that was written down earlier, PLACE:HASH; may be given several times.
    #[arg(long, value_name = "PLACE:HASH")]
    checkpoint: Vec<AuditHead>,
}

/// Arguments of `heddle audit list`.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    place: Where,
    /// Only entries after this place.
    #[arg(long, default_value_t = 0)]
    after: u64,
    /// Most entries to print.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Only entries of this participant context.
    #[arg(long)]
    participant: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    entries: u64,
    head: String,
    unsealed: u64,
    checkpoints: usize,
    intact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

#[derive(Serialize)]
struct Listed<'a> {
    place: u64,
    at: String,
    owner: &'a str,
    actor: &'a str,
    action: &'a str,
    subject: &'a str,
    reason: Option<&'a str>,
    trace: Option<&'a str>,
    hash: &'a str,
}

impl Audit {
    /// Reads and prints. A log that is broken is a failure.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Commands::Verify(arguments) => arguments.run().await,
            Commands::List(arguments) => arguments.run().await,
        }
    }
}

impl Where {
    fn configuration(&self) -> anyhow::Result<Configuration> {
        let mut configuration = match &self.config {
            Some(path) => config::load(path)?,
            None => config::read(&Sources::default().with_environment())?.configuration,
        };
        if let Some(path) = &self.data_dir {
            configuration.data_dir.clone_from(path);
        }
        Ok(configuration)
    }
}

impl Verify {
    async fn run(self) -> anyhow::Result<()> {
        let configuration = self.place.configuration()?;
        let log = server::open_audit(&configuration).await?;
        let mut checkpoints = self.checkpoint;
        // What the server itself has written down beside the database.
        let own = server::audit_checkpoint(&configuration).read().map_err(anyhow::Error::msg)?;
        checkpoints.extend(own);
        let report = verify(&*log, &checkpoints).await?;
        let broken = report.broken.as_ref().map(ToString::to_string);
        let verified = Verified {
            entries: report.head.place,
            head: report.head.to_string(),
            unsealed: report.unsealed,
            checkpoints: checkpoints.len(),
            intact: broken.is_none(),
            broken: broken.clone(),
        };
        match self.place.output {
            Format::Json => output::json(&verified),
            Format::Text => print(&verified),
        }
        match broken {
            None => Ok(()),
            Some(why) => Err(anyhow::anyhow!("the audit log is broken: {why}")),
        }
    }
}

fn print(verified: &Verified) {
    let Verified { entries, unsealed, checkpoints, .. } = verified;
    let intact = if verified.intact { "yes" } else { "no" };
    output::line(&format!("intact       {intact}"));
    output::line(&format!("entries      {entries} hold together"));
    output::line(&format!("waiting      {unsealed} to be sealed"));
    output::line(&format!("checkpoints  {checkpoints} compared"));
    output::line(&format!("head         {}", verified.head));
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let log = server::open_audit(&self.place.configuration()?).await?;
        let owner = match self.participant {
            Some(id) => Some(Owner::Participant(ParticipantContextId::parse(id)?).to_string()),
            None => None,
        };
        let (mut after, mut left) = (self.after, self.limit);
        while left > 0 {
            let query = AuditQuery { owner: owner.clone(), after, limit: left.min(PAGE) };
            let page = log.audit_entries(query).await?;
            let Some(last) = page.last() else { break };
            after = last.place;
            left = left.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX));
            page.iter().for_each(|entry| show(entry, self.place.output));
        }
        Ok(())
    }
}

fn show(entry: &SealedRecord, format: Format) {
    let SealedRecord { place, record, hash } = entry;
    if format == Format::Json {
        output::json(&Listed {
            place: *place,
            at: record.at.to_string(),
            owner: &record.owner,
            actor: &record.actor,
            action: &record.action,
            subject: &record.subject,
            reason: record.reason.as_deref(),
            trace: record.trace.as_deref(),
            hash,
        });
        return;
    }
    let reason = record.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    let (at, owner, actor) = (record.at, &record.owner, &record.actor);
    // What stands there may have been chosen by anybody; a line stays a line.
    let line = format!("{place} {at} {owner} {actor}: {} {}{reason}", record.action, record.subject);
    output::line(&line.replace(|letter: char| letter.is_control(), " "));
}
