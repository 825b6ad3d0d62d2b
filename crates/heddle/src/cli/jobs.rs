//! `heddle jobs dead`: the jobs of a running server that were set aside.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use heddle_clock::Environment;
use heddle_outbound::Request;
use http::Method;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::output;
use crate::{
    demo::client::{Client, outbound},
    home::Home,
};

mod table;

const API: &str = "/api/operations/v1alpha1";

/// Arguments of `heddle jobs`.
#[derive(Debug, Args)]
pub struct Jobs {
    #[command(subcommand)]
    command: JobsCommand,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    /// Jobs that were set aside: they cannot succeed, or have failed as often as they may.
    #[command(subcommand)]
    Dead(DeadCommand),
}

#[derive(Debug, Subcommand)]
enum DeadCommand {
    /// List them.
    List(List),
    /// Show one, with the error that it failed with.
    Show(Show),
    /// Let one or many run once more.
    Replay(End),
    /// Delete one or many.
    Discard(End),
}

/// Where, as whom, and how to print.
#[derive(Debug, Args)]
struct At {
    /// The server; without it, the one that was started last.
    #[arg(long)]
    server: Option<String>,
    /// Its credentials file, in place of the remembered one.
    #[arg(long)]
    credentials: Option<PathBuf>,
    /// Only those of this participant context.
    #[arg(long, value_name = "CONTEXT")]
    participant: Option<String>,
    /// How to print.
    #[arg(short, long, default_value = "table")]
    output: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// Lines for a person.
    Table,
    /// One JSON object.
    Json,
}

/// Which of them.
#[derive(Debug, Args)]
struct Filter {
    /// Of this owner: i, t:TENANT or p:CONTEXT.
    #[arg(long, conflicts_with = "participant")]
    owner: Option<String>,
    /// Of this kind, such as negotiation.send.
    #[arg(long)]
    kind: Option<String>,
    /// That call this host.
    #[arg(long)]
    host: Option<String>,
}

impl Filter {
    fn members(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let members = [("owner", &self.owner), ("kind", &self.kind), ("host", &self.host)];
        members.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// Arguments of `heddle jobs dead list`.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    filter: Filter,
    /// Most jobs to list.
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Go on behind this job.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    #[command(flatten)]
    at: At,
}

/// Arguments of `heddle jobs dead show`.
#[derive(Debug, Args)]
struct Show {
    /// Which.
    id: String,
    #[command(flatten)]
    at: At,
}

/// Arguments of `heddle jobs dead replay` and `discard`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["id", "owner", "kind", "host", "all"]))]
struct End {
    /// This one.
    #[arg(conflicts_with_all = ["owner", "kind", "host", "all"])]
    id: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// All of them.
    #[arg(long, conflicts_with_all = ["owner", "kind", "host"])]
    all: bool,
    #[command(flatten)]
    at: At,
}

impl Jobs {
    /// Asks the server and prints.
    pub async fn run(self) -> anyhow::Result<()> {
        let JobsCommand::Dead(command) = self.command;
        match command {
            DeadCommand::List(list) => list.run().await,
            DeadCommand::Show(show) => show.run().await,
            DeadCommand::Replay(end) => end.run("replay", "replayed").await,
            DeadCommand::Discard(end) => end.run("discard", "discarded").await,
        }
    }
}

impl At {
    /// A client of the server, once it has accepted the credentials.
    async fn client(&self) -> anyhow::Result<Client> {
        let (home, environment) = (Home::of_user(), Environment::system());
        let url = match &self.server {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => home.newest()?,
        };
        let credentials = home.credentials(&url, self.credentials.as_deref())?;
        let client = Client::new(outbound(&environment)?, environment, credentials, "jobs");
        client.log_in().await?;
        Ok(client)
    }

    /// The path of the jobs, or of what is below them.
    fn path(&self, below: &str) -> String {
        let whose = self.participant.as_deref().map(|id| format!("/participants/{}", segment(id)));
        format!("{API}{}/dead-jobs{below}", whose.unwrap_or_default())
    }

    fn print(&self, answer: &Value, table: impl FnOnce(&Value) -> Vec<String>) {
        match self.output {
            Shape::Json => output::json(answer),
            Shape::Table => table(answer).iter().for_each(|line| output::line(line)),
        }
    }
}

/// A segment of a path, whatever is in it.
fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.filter.members()).append_pair("limit", &self.limit.to_string());
        if let Some(after) = &self.after {
            query.append_pair("after", after);
        }
        let path = self.at.path(&format!("?{}", query.finish()));
        let answer = self.at.client().await?.get(&path).await?;
        self.at.print(&answer, table::list);
        Ok(())
    }
}

impl Show {
    async fn run(self) -> anyhow::Result<()> {
        let answer = self.at.client().await?.get(&self.at.path(&format!("/{}", segment(&self.id)))).await;
        let answer = answer.map_err(|error| match error.status() {
            Some(404) => anyhow::anyhow!(
                "no job '{}' is set aside: it was replayed or discarded, or never was; 'heddle jobs dead list' shows all",
                self.id
            ),
            _ => error.into(),
        })?;
        self.at.print(&answer, table::one);
        Ok(())
    }
}

impl End {
    /// `verb` is the last part of the path, `done` what the answer calls it.
    async fn run(self, verb: &str, done: &'static str) -> anyhow::Result<()> {
        let client = self.at.client().await?;
        let answer = match &self.id {
            Some(id) if verb == "discard" => {
                let url = format!("{}{}", client.base(), self.at.path(&format!("/{}", segment(id))));
                client.send(|| Request::new(Method::DELETE, url.clone())).await?;
                Value::Null
            }
            Some(id) => {
                let path = self.at.path(&format!("/{}/{verb}", segment(id)));
                client.query(&path, &Value::Object(Map::new())).await?
            }
            None => client.query(&self.at.path(&format!("/{verb}")), &self.selection()).await?,
        };
        let count = answer.get(done).and_then(Value::as_u64);
        let answer = if answer.is_null() { Value::Object(Map::new()) } else { answer };
        self.at.print(&answer, |_| vec![table::ended(count, done)]);
        Ok(())
    }

    fn selection(&self) -> Value {
        let mut selection: Map<String, Value> =
            self.filter.members().map(|(name, value)| (name.to_owned(), value.into())).collect();
        if self.all {
            selection.insert("all".to_owned(), true.into());
        }
        Value::Object(selection)
    }
}
