//! Idle participant contexts: how long the program takes to start with them, and its memory, at once and after each of
//! them has answered one request.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Instant,
};

use anyhow::Context;
use futures::StreamExt;
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_outbound::{Outbound, OutboundConfig, Request};
use heddle_store::{Aggregate, Database, DirectoryRow, Store};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, ScopeIssuer};
use serde::{Deserialize, Serialize};

use crate::{Options, spread};

/// Requests, and writes before them, at a time.
const AT_ONCE: usize = 64;

/// Starts the program on the same data directory, run by run.
pub async fn measure(options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&options.folder)?;
    Server::start(options, folder.path())?.stop()?;
    fill(folder.path(), options.contexts).await?;
    let (mut starts, mut idle, mut after, mut rates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.runs {
        let server = Server::start(options, folder.path())?;
        starts.push(server.start_ms);
        idle.push(server.memory("VmRSS")?);
        let begun = Instant::now();
        ask_all(&server.url, options.contexts).await?;
        rates.push(f64::from(options.contexts) / begun.elapsed().as_secs_f64());
        after.push(server.memory("VmHWM")?);
        server.stop()?;
    }
    let what = format!("{} idle participant contexts", options.contexts);
    spread::print(&format!("{what}, start"), "ms", &starts);
    spread::print(&format!("{what}, resident after the start"), "MiB", &idle);
    spread::print(&format!("{what}, peak after each has answered a request"), "MiB", &after);
    spread::print(&format!("{what}, those requests by {AT_ONCE} at once"), "/s", &rates);
    Ok(())
}

/// A participant context as the control plane stores it. Were it to store it otherwise, it would not answer for it, and
/// the measurement would end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Participant {
    id: String,
    identity: String,
    state: String,
    created_at: heddle_clock::Timestamp,
}

/// What it publishes of it.
#[derive(Serialize)]
struct Published<'a> {
    identity: &'a str,
    active: bool,
}

impl Aggregate for Participant {
    const KIND: &'static str = "participant-context";

    fn id(&self) -> &str {
        &self.id
    }
}

/// A started program.
struct Server {
    process: Child,
    url: String,
    start_ms: f64,
}

#[derive(Deserialize)]
struct Started {
    url: String,
}

impl Server {
    /// Returns when it answers.
    fn start(options: &Options, folder: &Path) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut command = Command::new(&options.heddle);
        command.args(["start-dev", "--port", "0", "--output", "json", "--data-dir"]);
        command.arg(folder.join("data")).env("XDG_CONFIG_HOME", folder.join("config"));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let program = options.heddle.display();
        let mut process = command.spawn().with_context(|| format!("{program} cannot be started"))?;
        let output = process.stdout.take().context("it is piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let start_ms = spread::ms(begun.elapsed());
        let started: Started =
            serde_json::from_str(&line).with_context(|| format!("{program} does not start"))?;
        Ok(Self { process, url: started.url, start_ms })
    }

    /// A line of its status, in MiB.
    fn memory(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("the kernel tells it")?;
        let kib: f64 = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse()?;
        Ok(kib / 1024.0)
    }

    fn stop(mut self) -> anyhow::Result<()> {
        let id = i32::try_from(self.process.id())?;
        let process = rustix::process::Pid::from_raw(id).context("a process")?;
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        self.process.wait()?;
        Ok(())
    }
}

fn name(n: u32) -> anyhow::Result<ParticipantContextId> {
    Ok(ParticipantContextId::parse(format!("participant-{n:06}"))?)
}

/// Puts the contexts into the database of a stopped server.
#[expect(clippy::disallowed_methods, reason = "it plays the composition root")]
async fn fill(folder: &Path, contexts: u32) -> anyhow::Result<()> {
    let environment = Environment::system();
    let database = SqliteDatabase::open(folder.join("data/heddle.db"), &environment).await?;
    let database: Arc<dyn Database> = Arc::new(database);
    let (store, scopes) = (Store::new(database.clone(), environment), ScopeIssuer::new());
    let put = async |n: u32| -> anyhow::Result<()> {
        let id = name(n)?;
        let scope = scopes.participant(id.clone(), Actor::new("bench"));
        let mut transaction = store.begin(&scope);
        let context = Participant {
            id: id.to_string(),
            identity: format!("did:web:example.org:{id}"),
            state: "ACTIVATED".to_owned(),
            created_at: transaction.now(),
        };
        transaction.insert(&context);
        let published = Published { identity: &context.identity, active: true };
        transaction.publish(DirectoryRow::new("participant", &context.id, &published));
        Ok(transaction.commit().await?)
    };
    let mut puts = futures::stream::iter(0..contexts).map(put).buffer_unordered(AT_ONCE);
    while let Some(done) = puts.next().await {
        done?;
    }
    drop(puts);
    database.close().await;
    Ok(())
}

/// Every context answers one request of a stranger: which versions of the protocol it speaks.
async fn ask_all(url: &str, contexts: u32) -> anyhow::Result<()> {
    let config =
        OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
    let outbound = Outbound::new(config, Environment::system())?;
    let ask = async |n: u32| -> anyhow::Result<()> {
        let request = Request::get(format!("{url}/api/dsp/{}/.well-known/dspace-version", name(n)?));
        outbound.send(request).await?;
        Ok(())
    };
    let mut asks = futures::stream::iter(0..contexts).map(ask).buffer_unordered(AT_ONCE);
    while let Some(done) = asks.next().await {
        done?;
    }
    Ok(())
}
