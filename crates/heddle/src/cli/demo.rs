//! `heddle demo`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::output::{self, Format};
use crate::{
    demo::{self, Failure, Options, Place},
    home::{Home, HomeError},
    server,
};

/// Arguments of `heddle demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The file to share; without it, 1 MiB is generated.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The server to play at; without it, a fresh one is started inside this process.
    #[arg(long)]
    server: Option<String>,
    /// Another server for the second organisation.
    #[arg(long, requires = "server")]
    consumer_server: Option<String>,
    /// The credentials file of the server, in place of the remembered one.
    #[arg(long, requires = "server")]
    credentials: Option<PathBuf>,
    /// The credentials file of the consumer's server, in place of the remembered one.
    #[arg(long, requires = "consumer_server")]
    consumer_credentials: Option<PathBuf>,
    /// Play only a part, between the organisations that are already on board.
    #[arg(long, requires = "server")]
    only: Option<Part>,
    /// How to print the result.
    #[arg(short, long, default_value = "text")]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Publish, discover, negotiate, transfer, download.
    Share,
}

#[derive(Serialize)]
struct FailedReport<'a> {
    ok: bool,
    step: &'a str,
    reason: String,
}

impl Demo {
    /// Plays the story. Whatever fails, a program gets one object on standard output, and a person one sentence.
    pub async fn run(self) -> anyhow::Result<()> {
        match (self.play().await, self.output) {
            (Ok(report), Format::Json) => output::json(&report),
            (Ok(_), Format::Text) => {}
            (Err(failure), format) => {
                if format == Format::Json {
                    let reason = output::plain(&failure.reason);
                    output::json(&FailedReport { ok: false, step: &failure.step, reason });
                }
                return Err(failure.into());
            }
        }
        Ok(())
    }

    async fn play(&self) -> Result<demo::Report, Failure> {
        let home = Home::of_user();
        let options = Options {
            file: self.file.clone(),
            only_share: self.only == Some(Part::Share),
            tell: self.output == Format::Text,
        };
        match &self.server {
            Some(url) => {
                let place = self.place(&home, url).map_err(|error| Failure::of("log in", error))?;
                demo::run(&place, &options, Some(&home)).await
            }
            None => in_process(&options).await,
        }
    }

    fn place(&self, home: &Home, url: &str) -> Result<Place, HomeError> {
        let provider = home.credentials(url, self.credentials.as_deref())?;
        let consumer = self
            .consumer_server
            .as_deref()
            .map(|url| home.credentials(url, self.consumer_credentials.as_deref()))
            .transpose()?;
        Ok(Place { provider, consumer })
    }
}

/// Plays at a fresh server in this process: a real one, on a free port, with a database in a temporary folder.
async fn in_process(options: &Options) -> Result<demo::Report, Failure> {
    let failed = |reason: String| Failure::of("start a server", reason);
    let folder =
        tempfile::tempdir().map_err(|error| failed(format!("no temporary folder can be made: {error}")))?;
    let started = server::Development::in_folder(folder.path()).start().await;
    let server = started.map_err(|error| failed(output::sentence(&error)))?;
    let place = Place { provider: server.credentials().clone(), consumer: None };
    let result = demo::run(&place, options, None).await;
    server.stop().await;
    result
}
