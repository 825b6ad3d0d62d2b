//! `heddle status`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use heddle_clock::Environment;
use heddle_outbound::{Outbound, OutboundConfig, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::output;
use crate::{
    greeting::{Version, greet},
    home::{Home, HomeError},
};

/// Arguments of `heddle status`.
#[derive(Debug, Args)]
pub struct Status {
    /// The server; without it, the one that was started last.
    #[arg(long)]
    server: Option<String>,
    /// Its credentials file, in place of the remembered one.
    #[arg(long)]
    credentials: Option<PathBuf>,
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
    /// Assignments for a shell.
    Env,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    url: String,
    ready: bool,
    version: Version,
    health: Value,
    client_id: Option<String>,
}

impl Status {
    /// Asks the server and prints. A server that does not answer, or is not ready, is a failure.
    pub async fn run(self) -> anyhow::Result<()> {
        let home = Home::of_user();
        let url = match &self.server {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => home.newest()?,
        };
        // A server of somebody else's may be looked at as well.
        let credentials = match home.credentials(&url, self.credentials.as_deref()) {
            Err(HomeError::UnknownServer { .. }) => None,
            other => Some(other?),
        };
        let config =
            OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
        let outbound = Outbound::new(config, Environment::system())?;
        let version = greet(&outbound, &url).await?;
        let health = outbound.send(Request::get(format!("{url}/health/readiness"))).await;
        let ready = health.is_ok();
        let health = match health {
            Ok(answer) => answer.json()?,
            Err(error) => Value::String(error.to_string()),
        };
        let client_id = credentials.map(|credentials| credentials.client_id);
        let shown = Shown { url, ready, version, health, client_id };
        print(&shown, self.output);
        anyhow::ensure!(ready, "the server at {} is not ready; its log says why", shown.url);
        Ok(())
    }
}

fn print(shown: &Shown, shape: Shape) {
    let client = shown.client_id.as_deref().unwrap_or("unknown");
    let version = &shown.version.version;
    match shape {
        Shape::Json => output::json(shown),
        Shape::Table => {
            output::line(&format!("url        {}", shown.url));
            output::line(&format!("version    {version}"));
            output::line(&format!("ready      {}", if shown.ready { "yes" } else { "no" }));
            output::line(&format!("client     {client}"));
        }
        Shape::Env => {
            output::line(&format!("HEDDLE_URL='{}'", shown.url));
            output::line(&format!("HEDDLE_VERSION='{version}'"));
            output::line(&format!("HEDDLE_READY='{}'", shown.ready));
            output::line(&format!("HEDDLE_CLIENT_ID='{client}'"));
        }
    }
}
