//! `heddle start-dev` and `heddle serve`.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;

use super::{
    output::{self, Format},
    place::Set,
};
use crate::{
    config::{self, Configuration, Sources},
    home::Home,
    server::{self, Running},
    telemetry,
};

/// Arguments of `heddle start-dev`.
#[derive(Debug, Args)]
pub struct StartDev {
    /// The port on 127.0.0.1; a free one with 0.
    #[arg(long)]
    port: Option<u16>,
    /// A configuration file.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where state is kept.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Keep no state.
    #[arg(long, conflicts_with = "data_dir")]
    ephemeral: bool,
    #[command(flatten)]
    set: Set,
    /// How to print what was started.
    #[arg(short, long, default_value = "text")]
    output: Format,
}

/// Arguments of `heddle serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    #[command(flatten)]
    set: Set,
    /// How to print what was started.
    #[arg(short, long, default_value = "text")]
    output: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Started<'a> {
    url: &'a str,
    version: &'static str,
    data_dir: &'a Path,
    credentials_file: Option<PathBuf>,
    roles: Vec<&'static str>,
    database: &'static str,
    mode: &'static str,
    next: String,
}

impl StartDev {
    /// Starts, prints, and runs until a signal ends it.
    pub async fn run(self) -> anyhow::Result<()> {
        let sources = Sources::of(self.config.as_deref()).with_environment();
        let mut configuration = config::read(&self.set.over(sources)?)?.configuration;
        configuration.development = true;
        configuration.allow_private_addresses = true;
        if let Some(port) = self.port {
            configuration.listen.set_port(port);
            configuration.port_was_given = true;
        }
        if let Some(path) = &self.data_dir {
            configuration.data_dir.clone_from(path);
        }
        let folder = self.ephemeral.then(tempfile::tempdir).transpose()?;
        if let Some(folder) = &folder {
            configuration.data_dir = folder.path().to_owned();
        }
        serve(configuration, self.output).await
    }
}

impl Serve {
    /// Starts, prints, and runs until a signal ends it.
    pub async fn run(self) -> anyhow::Result<()> {
        let sources = Sources::of(Some(&self.config)).with_environment();
        serve(config::read(&self.set.over(sources)?)?.configuration, self.output).await
    }
}

async fn serve(configuration: Configuration, format: Format) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&configuration)?;
    let ended = serve_until_told(configuration, format).await;
    telemetry.stop().await;
    ended
}

async fn serve_until_told(configuration: Configuration, format: Format) -> anyhow::Result<()> {
    let mut signals = server::EndSignals::catch()?;
    let started = server::start_unless(configuration, signals.wait()).await?;
    let ControlFlow::Continue(running) = started else { return Ok(()) };
    if let Some(file) = running.credentials_file() {
        remember(running.url(), &file);
    }
    announce(&running, format);
    signals.wait().await;
    // A second signal says that it is enough of waiting for others to notice.
    running.depart(signals.wait()).await;
    Ok(())
}

/// A convenience for the commands of this user: a server without a home directory does without it.
fn remember(url: &str, file: &Path) {
    if let Err(error) = Home::of_user().remember(url, file) {
        tracing::warn!(
            component = "server",
            action = "remember",
            %error,
            "'heddle demo' and 'heddle status' will not know this server; give them --credentials"
        );
    }
}

fn announce(running: &Running, format: Format) {
    let started = Started {
        url: running.url(),
        version: env!("CARGO_PKG_VERSION"),
        data_dir: running.data_dir(),
        credentials_file: running.credentials_file(),
        roles: running.roles().iter().map(|role| role.name()).collect(),
        database: running.database(),
        mode: if running.is_development() { "development mode, not for production" } else { "production" },
        next: format!("heddle demo --server {}", running.url()),
    };
    if format == Format::Json {
        return output::json(&started);
    }
    output::line(&format!("Heddle {} at {}  ({})", started.version, started.url, started.mode));
    output::line(&format!("  roles        {}", started.roles.join(", ")));
    output::line(&format!("  database     {}", started.database));
    output::line(&format!("  data         {}", started.data_dir.display()));
    if let Some(file) = &started.credentials_file {
        output::line(&format!("  credentials  {} (for the operator, mode 0600)", file.display()));
    }
    output::line(&format!("  try          {}", started.next));
}
