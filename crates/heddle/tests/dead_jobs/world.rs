//! A server, and beside it a worker on the same database whose jobs fail until somebody mends what they are about.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use heddle::{
    config,
    demo::client::{Client, outbound},
    home::{Credentials, write_private},
    server,
};
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_outbound::Request;
use heddle_store::{
    JobContext, JobHandler, NewJob, Outcome, RunningWorker, Store, StoreError, Worker, WorkerLimits,
};
use heddle_telemetry::{TraceContext, trace};
use heddle_tenancy::{Actor, ScopeIssuer};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::{OPERATORS, PATIENCE};

/// What the jobs carry, and nobody is told.
pub const SECRET: &str = "s3cret-payload";

/// Fails until its thing is mended; then says what it has done.
struct Handler {
    mended: Arc<AtomicBool>,
    done: mpsc::UnboundedSender<String>,
}

#[async_trait]
impl JobHandler for Handler {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        if !self.mended.load(Ordering::SeqCst) {
            return Ok(Outcome::Retry { error: "the thing is broken".to_owned(), after: None });
        }
        assert_eq!(context.job.payload::<String>().expect("a text"), SECRET);
        let done = format!("{} {}", context.job.owner, context.job.order_key);
        self.done.send(done).expect("the test listens");
        Ok(Outcome::Done)
    }
}

pub struct World {
    folder: TempDir,
    credentials: Credentials,
    running: server::Running,
    worker: RunningWorker,
    store: Store,
    scopes: Arc<ScopeIssuer>,
    mended: Arc<AtomicBool>,
    done: mpsc::UnboundedReceiver<String>,
    trace: TraceContext,
}

impl World {
    #[expect(
        clippy::disallowed_methods,
        reason = "the worker beside the server has a composition root of its own"
    )]
    pub async fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = format!("development = true\nlisten = \"127.0.0.1:0\"\n{settings}");
        let configuration =
            config::parse(&settings, &folder.path().join("heddle.toml"), folder.path()).expect("legal");
        let environment = Environment::system();
        let database = server::open(&configuration, &environment).await.expect("opens");
        let data_dir = configuration.data_dir.clone();
        let running = server::start_on(configuration, &data_dir, database.clone(), environment.clone()).await;
        let running = running.expect("the server starts");
        let credentials = running.credentials().expect("they are generated at the first start").clone();
        let scopes = Arc::new(ScopeIssuer::new());
        let (sender, done) = mpsc::unbounded_channel();
        let mended = Arc::new(AtomicBool::new(false));
        let store = Store::new(database, environment.clone());
        // Two attempts are one retry, and then it is dead.
        let limits = WorkerLimits { attempts_max: 2, ..WorkerLimits::default() };
        let handler = Arc::new(Handler { mended: mended.clone(), done: sender });
        let worker = Worker::new(store.clone(), scopes.clone(), limits);
        let worker = worker.handle("test.work", handler.clone()).handle("test.other", handler).start();
        let trace = TraceContext::begin(&environment);
        let world = Self { folder, credentials, running, worker, store, scopes, mended, done, trace };
        let file = serde_json::to_vec(&world.credentials).expect("it serialises");
        write_private(&world.file(), &file).expect("it is written");
        world
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("credentials.json")
    }

    pub fn trace_id(&self) -> String {
        self.trace.trace_id()
    }

    /// Enqueues a job of a participant, which carries a secret and calls a peer.
    pub async fn enqueue(&self, owner: &str, kind: &str, key: &str) {
        let owner = ParticipantContextId::parse(owner).expect("legal");
        let scope = self.scopes.participant(owner, Actor::new("test"));
        let mut transaction = self.store.begin(&scope);
        transaction.enqueue(NewJob::new(kind, key, &SECRET).calling("peer.example"));
        trace::within(self.trace, transaction.commit()).await.expect("commits");
    }

    /// The dead jobs, as soon as there are `count`.
    pub async fn dead(&self, count: usize) -> Vec<Value> {
        let operator = self.operator();
        let found = async {
            loop {
                let answer = operator.get(OPERATORS).await.expect("the list");
                let jobs = answer["jobs"].as_array().expect("jobs").clone();
                if jobs.len() >= count {
                    return jobs;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("they die in time")
    }

    /// From now on the jobs succeed.
    pub fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }

    /// The next job that is done.
    pub async fn done(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.done.recv()).await.expect("in time").expect("the worker lives")
    }

    fn client(&self, credentials: Credentials) -> Client {
        let environment = Environment::system();
        Client::new(outbound(&environment).expect("legal"), environment, credentials, "test")
    }

    pub fn operator(&self) -> Client {
        self.client(self.credentials.clone())
    }

    /// A participant with a client of its own.
    pub async fn participant(&self, context: &str) -> Client {
        let body = json!({ "participantContextId": context });
        let made = self.operator().query("/oauth/clients", &body).await.expect("a client");
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        let credentials = Credentials {
            url: self.credentials.url.clone(),
            client_id: text("clientId"),
            client_secret: text("clientSecret"),
        };
        self.client(credentials)
    }

    /// How many dead jobs somebody sees at a path, or the status of the refusal.
    pub async fn count(&self, client: &Client, path: &str) -> Result<usize, u16> {
        let answer = client.get(path).await.map_err(|error| error.status().expect("an answer"))?;
        Ok(answer["jobs"].as_array().expect("jobs").len())
    }

    /// The status of a request that nobody stands behind.
    pub async fn stranger(&self, method: Method, path: &str) -> u16 {
        let outbound = outbound(&Environment::system()).expect("legal");
        let request = Request::new(method, format!("{}{path}", self.running.url()));
        let error = outbound.send(request).await.expect_err("it is refused");
        error.status().expect("an answer").as_u16()
    }

    /// What anybody reads at a path.
    pub async fn text(&self, path: &str) -> String {
        let outbound = outbound(&Environment::system()).expect("legal");
        let request = Request::get(format!("{}{path}", self.running.url())).accept("*/*");
        let answer = outbound.send(request).await.expect("an answer");
        String::from_utf8_lossy(answer.body()).into_owned()
    }

    /// What `heddle jobs dead` prints.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What it says when it fails.
    pub fn cli_fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heddle"));
        command.args(["jobs", "dead"]).args(arguments);
        command.args(["--server", self.running.url(), "--credentials"]).arg(self.file());
        command.stdin(Stdio::null()).env("HOME", self.folder.path());
        tokio::task::block_in_place(|| command.output()).expect("it runs")
    }

    pub async fn stop(self) {
        self.worker.drain(PATIENCE).await;
        self.running.stop().await;
    }
}

/// The status of a client's request, whatever it is.
pub async fn status(client: &Client, method: Method, path: &str) -> u16 {
    let request = || Request::new(method.clone(), format!("{}{path}", client.base()));
    match client.send(request).await {
        Ok(answer) => answer.status().as_u16(),
        Err(error) => error.status().expect("an answer"),
    }
}
