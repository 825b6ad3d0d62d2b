//! A process of one side, which dies and comes back.

use std::{
    fs::{self, OpenOptions},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::{plan::Death, tell};

/// How long a process is started again that ends before it answers, and the wait before it is.
const STARTS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_millis(200));

/// Where and how a process runs.
pub struct Process {
    name: String,
    arguments: Vec<String>,
    log: PathBuf,
}

/// One process, from start to death.
pub struct Life {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Process {
    /// Of the side whose state lies in `side`, listening on `port`. The side answers at the first of `urls`, which is
    /// another port if it has replicas, and plays against the second.
    pub fn new(
        side: &Path,
        name: &str,
        port: u16,
        (own, opponent): (u16, u16),
        database: Option<&str>,
    ) -> Self {
        fs::create_dir_all(side).expect("a folder");
        let mut arguments = vec![
            format!("--listen=127.0.0.1:{port}"),
            format!("--url=http://127.0.0.1:{own}"),
            format!("--opponent=http://127.0.0.1:{opponent}"),
            format!("--data-dir={}", side.display()),
        ];
        arguments.extend(database.map(|url| format!("--postgres-url={url}")));
        let log = side.join(format!("{name}.log"));
        let side = side.file_name().expect("it is a folder").to_string_lossy();
        Self { name: format!("{side}, {name}"), arguments, log }
    }

    /// Starts it; returns when it answers. A process whose database goes away while it starts ends, and is started again,
    /// as a supervisor does.
    pub async fn start(&self, death: Option<&Death>) -> Life {
        let begun = Instant::now();
        while begun.elapsed() < STARTS.0 {
            let mut life = self.launch(death);
            let url = life.line().await;
            if url.starts_with("http://") {
                return life;
            }
            let status = life.child.wait().await.expect("a child can be waited for");
            assert_eq!(status.signal(), None, "{} dies before it answers: {url}\n{}", self.name, life.told());
            tokio::time::sleep(STARTS.1).await;
        }
        panic!("{} does not start\n{}", self.name, fs::read_to_string(&self.log).unwrap_or_default());
    }

    fn launch(&self, death: Option<&Death>) -> Life {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dying_pingpong"));
        command.args(&self.arguments);
        if let Some(Death { after, commit }) = death {
            command.args([
                "--kill",
                if *after { "after" } else { "before" },
                "--commit",
                &commit.to_string(),
            ]);
        }
        let log = OpenOptions::new().append(true).create(true).open(&self.log).expect("a log");
        let child = command.stdout(Stdio::piped()).stderr(log).kill_on_drop(true).spawn();
        let mut child = child.expect("it is built together with its test");
        let output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Life { child, output, log: self.log.clone() }
    }

    /// Lets `life` die the first of `deaths`, and those that follow it the others; gives the life after them.
    pub async fn live(&self, mut life: Life, deaths: &[Death]) -> Life {
        for next in 1..=deaths.len() {
            let what = life.line().await;
            let status = life.child.wait().await.expect("a child can be waited for");
            assert_eq!(status.signal(), Some(9), "{} ended by itself: {status}\n{}", self.name, life.told());
            tell(&format!("{}: {what}", self.name));
            life = self.start(deaths.get(next)).await;
        }
        life
    }
}

impl Life {
    /// The next line that it prints; none, as an empty one, when it has ended.
    async fn line(&mut self) -> String {
        self.output.next_line().await.expect("its output is text").unwrap_or_default()
    }

    /// What it and those before it have logged.
    fn told(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks for its end, and waits for it.
    pub async fn stop(mut self) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).expect("it is alive");
        kill_process(id, Signal::TERM).expect("a child may be asked");
        let status = self.child.wait().await.expect("a child can be waited for");
        assert!(status.success(), "it did not end well: {status}\n{}", self.told());
    }
}
