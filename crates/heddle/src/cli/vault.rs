//! `heddle vault`: the master key, over a running server or on the database itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use heddle_clock::Environment;
use heddle_outbound::Request;
use http::Method;
use serde::de::DeserializeOwned;

use super::output::{self, Format};
use crate::{
    config::{self, Configuration, DatabaseSettings, Sources},
    demo::client::{Client, outbound},
    home::Home,
    server::{self, MasterKeysShown, RotationShown},
};

const MASTER_KEY: &str = "/api/operations/v1alpha1/master-key";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Vault {
    /// Show which master keys open the vault. Shows names of keys, never a key.
    Status(Place),
    /// Put a new master key in the place of the old one; running servers notice nothing. May be repeated: it goes on
    /// with what was begun.
    Rotate(Place),
}

/// Which installation.
#[derive(Debug, Args)]
pub struct Place {
    /// A running server; without it, and without a file or a directory, the one that was started last.
    #[arg(long, conflicts_with_all = ["config", "data_dir"])]
    server: Option<String>,
    /// The server's credentials file, in place of the remembered one.
    #[arg(long, conflicts_with_all = ["config", "data_dir"])]
    credentials: Option<PathBuf>,
    /// The configuration file of an installation whose database is opened directly.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The data directory of an installation whose database is opened directly.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, default_value = "text")]
    output: Format,
}

impl Vault {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Status(place) => {
                let keys = place.status().await?;
                place.print(&keys, told);
            }
            Self::Rotate(place) => {
                let rotation = place.rotate().await?;
                place.print(&rotation, |rotation| vec![come_to(rotation)]);
            }
        }
        Ok(())
    }
}

impl Place {
    async fn status(&self) -> anyhow::Result<MasterKeysShown> {
        match self.configuration()? {
            None => self.ask(Method::GET, "").await,
            Some(configuration) => {
                let keys = server::with_vault(&configuration, async |vault, operator| {
                    vault.master_keys(operator).await
                });
                Ok(keys.await??.into())
            }
        }
    }

    async fn rotate(&self) -> anyhow::Result<RotationShown> {
        match self.configuration()? {
            None => self.ask(Method::POST, "/rotations").await,
            Some(configuration) => {
                let rotation = server::with_vault(&configuration, async |vault, operator| {
                    vault.rotate_master_key(operator).await
                });
                Ok(rotation.await??.into())
            }
        }
    }

    /// The installation whose database is to be opened; `None` when a server is to be asked.
    fn configuration(&self) -> anyhow::Result<Option<Configuration>> {
        let mut configuration = match (&self.config, &self.data_dir) {
            (None, None) => return Ok(None),
            (Some(path), _) => config::load(path)?,
            (None, Some(_)) => config::read(&Sources::default().with_environment())?.configuration,
        };
        if let Some(path) = &self.data_dir {
            configuration.data_dir.clone_from(path);
        }
        // Whoever looks must not make an installation where there was none.
        let there = match configuration.database {
            DatabaseSettings::Sqlite => configuration.data_dir.join("heddle.db").is_file(),
            DatabaseSettings::Postgres { .. } => configuration.data_dir.is_dir(),
        };
        anyhow::ensure!(there, "there is no installation in {}", configuration.data_dir.display());
        Ok(Some(configuration))
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> anyhow::Result<T> {
        let home = Home::of_user();
        let url = match &self.server {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => home.newest()?,
        };
        let credentials = home.credentials(&url, self.credentials.as_deref())?;
        let environment = Environment::system();
        let run = environment.uuid().to_string();
        let client = Client::new(outbound(&environment)?, environment, credentials, &run);
        client.log_in().await?;
        let url = format!("{}{MASTER_KEY}{path}", client.base());
        let answer = client.send(|| Request::new(method.clone(), url.clone())).await?;
        Ok(answer.json()?)
    }

    fn print<T: serde::Serialize>(&self, value: &T, text: impl FnOnce(&T) -> Vec<String>) {
        match self.output {
            Format::Json => output::json(value),
            Format::Text => text(value).iter().for_each(|line| output::line(line)),
        }
    }
}

fn told(keys: &MasterKeysShown) -> Vec<String> {
    let mut lines = vec![format!("place    {}", keys.place)];
    let held = |name: &str| if keys.current.as_deref() == Some(name) { "  (in the file)" } else { "" };
    lines.extend(
        keys.keys.iter().map(|key| format!("opens    {}  since {}{}", key.key, key.since, held(&key.key))),
    );
    lines.extend(keys.next.iter().map(|next| format!("next     {next}")));
    if keys.keys.len() > 1 {
        lines.push("a rotation is under way; 'heddle vault rotate' goes on with it".to_owned());
    }
    lines
}

fn come_to(rotation: &RotationShown) -> String {
    match rotation {
        RotationShown::Done { key } => {
            format!("The master key is {key} now, and no other opens the vault. Back its file up.")
        }
        RotationShown::Prepared { key, file, next } => format!(
            "The new master key {key} opens the vault beside the old one. Now put {next} in the place of {file} \
             wherever a server reads it, then run this command again: it ends the old key."
        ),
    }
}
