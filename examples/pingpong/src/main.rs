//! `pingpong serve` is one side; `pingpong start` begins a game there and watches it to its end.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::{Args, Parser};
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_pingpong::{
    game::{GameId, OVER},
    server,
    settings::Settings,
    umpire::Umpire,
};
use heddle_telemetry::logs;

/// Two servers that exchange a counter.
#[derive(Parser)]
enum Command {
    /// Runs one side.
    Serve(Settings),
    /// Begins a game at one side, and tells what is seen there until it is over.
    Start(Start),
}

#[derive(Args)]
struct Start {
    /// The credentials that the side has written into its data directory.
    #[arg(long)]
    umpire: PathBuf,
    /// The participant context that plays.
    #[arg(long)]
    context: ParticipantContextId,
    /// The game: letters, digits and hyphens.
    #[arg(long)]
    game: GameId,
    /// How many hits.
    #[arg(long, default_value_t = 10)]
    until: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logs::start(logs::Format::Text, "warn");
    match Command::parse() {
        Command::Serve(settings) => serve(&settings).await,
        Command::Start(start) => begin(&start).await,
    }
}

async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let environment = Environment::system();
    let database = server::open(settings, &environment).await?;
    let running = server::start(settings, database, environment).await?;
    writeln!(io::stdout(), "{}", running.url())?;
    server::end_asked().await?;
    running.stop().await;
    Ok(())
}

async fn begin(Start { umpire, context, game, until }: &Start) -> anyhow::Result<()> {
    let umpire = Umpire::read(umpire, &Environment::system())?;
    umpire.begin(context, game, *until).await?;
    let mut feed = umpire.follow(context);
    loop {
        let told = feed.next().await?;
        if told.subject == game.as_str() {
            writeln!(io::stdout(), "{} {}", told.kind, told.payload.get())?;
            if told.kind == OVER {
                return Ok(());
            }
        }
    }
}
