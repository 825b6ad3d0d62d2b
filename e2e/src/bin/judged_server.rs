//! A server for tests that dies of SIGKILL at the commits that an arbiter chooses. Nothing of this is in the shipped
//! binary.

use std::{io::Write, path::PathBuf};

use clap::Parser;
use heddle::{config, server};
use heddle_clock::Environment;
use heddle_e2e::fire::Judged;
use heddle_telemetry::logs;

#[derive(Parser)]
struct Arguments {
    /// The configuration.
    #[arg(long)]
    config: PathBuf,
    /// The socket at which the arbiter listens.
    #[arg(long)]
    arbiter: PathBuf,
    /// How the arbiter is to know this server.
    #[arg(long)]
    name: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { config: file, arbiter, name } = Arguments::parse();
    let environment = Environment::system();
    let configuration = config::load(&file)?;
    logs::start(logs::Format::Text, &configuration.log.filter);
    let mut signals = server::EndSignals::catch()?;
    let inner = server::open(&configuration, &environment).await?;
    let database = Judged::before(inner, &arbiter, &name)?;
    let data_dir = configuration.data_dir.clone();
    let running = server::start_on(configuration, &data_dir, database, environment).await?;
    // The test that started this may wait for the line, or be gone.
    writeln!(std::io::stdout(), "{}", running.url()).ok();
    signals.wait().await;
    running.stop().await;
    Ok(())
}
