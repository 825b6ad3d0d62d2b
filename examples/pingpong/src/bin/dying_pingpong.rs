//! A side for tests that dies of SIGKILL at a commit of one's choice, by its number: before the database has seen it,
//! or after the database has acknowledged it and before the server knows.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use clap::{Parser, ValueEnum};
use heddle_clock::Environment;
use heddle_pingpong::{server, settings::Settings};
use heddle_store::{
    Batch, Database, Receipt, StoreError, Write,
    testing::{Commits, Intercepted},
};
use heddle_telemetry::logs;
use heddle_tenancy::Access;
use rustix::process::{Signal, getpid, kill_process};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Die before or after a commit.
    #[arg(long, requires = "commit")]
    kill: Option<Side>,
    /// The number of that commit; the first one of the process is 1.
    #[arg(long, requires = "kill")]
    commit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    Before,
    After,
}

struct Dying {
    doom: Option<(Side, u64)>,
    commits: AtomicU64,
}

impl Dying {
    /// Whoever started this reads what was being committed.
    fn die(&self, side: Side, what: &str) -> ! {
        let text = if side == Side::Before { "before" } else { "after" };
        drop(writeln!(io::stdout(), "killed {text} {what}"));
        kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
        loop {
            std::thread::park();
        }
    }
}

#[async_trait]
impl Commits for Dying {
    async fn commit(
        &self,
        database: &dyn Database,
        access: Access,
        batch: Batch,
    ) -> Result<Receipt, StoreError> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        // The one of this number, or the first behind it that succeeds.
        let side = self.doom.filter(|(_, doomed)| *doomed <= number).map(|(side, _)| side);
        let what = format!("commit {number} of {}: {}", access.owner(), told(&batch));
        if side == Some(Side::Before) {
            self.die(Side::Before, &what);
        }
        let receipt = database.commit(access, batch).await;
        if side == Some(Side::After) && receipt.is_ok() {
            self.die(Side::After, &what);
        }
        receipt
    }
}

/// What a batch does, in few words.
fn told(batch: &Batch) -> String {
    let words = batch.writes.iter().map(|write| match write {
        Write::Put { kind, id, .. } => format!("{kind} {id}"),
        Write::Enqueue { job, .. } => format!("job {}", job.kind),
        Write::Emit(event) => format!("event {}", event.kind),
        Write::Complete(_) => "job done".to_owned(),
        Write::Reschedule { .. } => "job again".to_owned(),
        _ => "more".to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { settings, kill, commit } = Arguments::parse();
    logs::start(logs::Format::Text, "warn");
    let environment = Environment::system();
    let inner = server::open(&settings, &environment).await?;
    let dying = Dying { doom: kill.zip(commit), commits: AtomicU64::new(0) };
    let database = Arc::new(Intercepted::new(inner, dying));
    let running = server::start(&settings, database, environment).await?;
    // The test that started this waits for the line.
    writeln!(io::stdout(), "{}", running.url())?;
    server::end_asked().await?;
    running.stop().await;
    Ok(())
}
