//! A server for tests that dies of SIGKILL at a commit of one's choice. Nothing of this is in the shipped binary.

use std::{io::Write, path::PathBuf};

use clap::Parser;
use heddle::{config, server};
use heddle_clock::Environment;
use heddle_e2e::dying::{Doom, Dying, Journal, Moment, Side};
use heddle_telemetry::logs;

#[derive(Parser)]
struct Arguments {
    /// The configuration.
    #[arg(long)]
    config: PathBuf,
    /// The file that gets a line for each commit; outside of the data directory.
    #[arg(long)]
    journal: PathBuf,
    /// Die before or after a commit.
    #[arg(long, requires = "when")]
    kill: Option<Side>,
    /// Which commit: its number, or a label such as `negotiation:agreed`, the type of an event or the kind of a job.
    #[arg(long, requires = "kill")]
    when: Option<Moment>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { config: file, journal, kill, when } = Arguments::parse();
    let environment = Environment::system();
    let configuration = config::load(&file)?;
    logs::start(logs::Format::Text, &configuration.log.filter);
    let mut signals = server::EndSignals::catch()?;
    let inner = server::open(&configuration, &environment).await?;
    let doom = kill.zip(when).map(|(side, moment)| Doom { side, moment });
    let database = Dying::before(inner, Journal::open(&journal)?, doom);
    let data_dir = configuration.data_dir.clone();
    let running = server::start_on(configuration, &data_dir, database, environment).await?;
    // The test that started this waits for the line.
    writeln!(std::io::stdout(), "{}", running.url())?;
    signals.wait().await;
    running.stop().await;
    Ok(())
}
