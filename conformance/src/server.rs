//! A Heddle of its own for a suite: the shipped binary in a temporary folder, spoken to by its public APIs.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, bail};
use heddle_clock::Environment;
use heddle_outbound::{Authorization, Outbound, OutboundConfig, Request};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Longest time until the server answers.
const START_MAX: Duration = Duration::from_secs(60);

/// A running server; it ends with this value.
pub struct Server {
    url: String,
    outbound: Outbound,
    token: String,
    _process: Child,
    _folder: TempDir,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    url: String,
    credentials_file: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    client_id: String,
    client_secret: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl Server {
    /// Starts `binary` with a configuration on a port.
    pub async fn start(binary: &Path, port: u16, configuration: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("heddle.toml");
        std::fs::write(&path, configuration)?;
        let mut process = Command::new(binary)
            .args(["start-dev", "--output", "json", "--port", &port.to_string(), "--config"])
            .arg(&path)
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .env("XDG_CONFIG_HOME", folder.path())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(super::suite::out("dsp").join("heddle.log"))?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", binary.display()))?;
        let output = process.stdout.take().context("the server's output is not readable")?;
        let mut lines = BufReader::new(output).lines();
        let line = tokio::time::timeout(START_MAX, lines.next_line())
            .await
            .context("it did not start in time")??;
        let started: Started = serde_json::from_str(&line.context("the server ended at once; see its log")?)?;
        let text = std::fs::read(&started.credentials_file)?;
        let credentials: Credentials = serde_json::from_slice(&text)?;
        let config =
            OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
        let outbound = Outbound::new(config, Environment::system())?;
        let request = Request::post(format!("{}/oauth/token", started.url)).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &credentials.client_id),
            ("client_secret", &credentials.client_secret),
        ]);
        let token: Token = outbound.send(request).await?.json()?;
        let token = token.access_token;
        Ok(Self { url: started.url, outbound, token, _process: process, _folder: folder })
    }

    /// The server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `POST` as the operator.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.send(Request::post(format!("{}{path}", self.url)).json_of(body)).await
    }

    /// `PUT` as the operator.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let request = Request::new(http::Method::PUT, format!("{}{path}", self.url));
        self.send(request.json_of(body)).await
    }

    async fn send(&self, request: Request) -> anyhow::Result<()> {
        let request = request.authorization(Authorization::bearer(&self.token));
        match self.outbound.send(request).await {
            Ok(_) => Ok(()),
            Err(error) => bail!("the set-up failed: {error}"),
        }
    }
}
