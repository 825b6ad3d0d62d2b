//! Where a server lives that dies and comes back: its data directory, its configuration, its journals.

use std::{
    fs::{self, OpenOptions},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use heddle::home::Credentials;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{Doom, Entry, read};
use crate::server::with_development;

/// A data directory and what belongs to it.
pub struct House {
    binary: PathBuf,
    folder: TempDir,
    lives: AtomicU32,
}

/// One process, from start to death.
pub struct Life {
    child: Child,
    journal: PathBuf,
}

impl House {
    /// For servers of `binary`, with more settings than those of development.
    pub fn new(binary: &str, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The port is free at the first start, and the one of the first start at later ones.
        let settings = format!("data_dir = \"data\"\n{settings}\n[log]\nformat = \"text\"\n");
        let text = with_development(&settings);
        fs::write(folder.path().join("heddle.toml"), text).expect("the folder can be written");
        Self { binary: binary.into(), folder, lives: AtomicU32::new(0) }
    }

    /// Starts a server on the data directory; returns when it answers.
    pub async fn start(&self, doom: Option<&Doom>) -> Life {
        let life = self.lives.fetch_add(1, Ordering::SeqCst);
        let journal = self.folder.path().join(format!("journal-{life}.jsonl"));
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.folder.path().join("heddle.toml")).arg("--journal").arg(&journal);
        if let Some(Doom { side, moment }) = doom {
            command.args(["--kill", &side.to_string(), "--when", &moment.to_string()]);
        }
        let log = OpenOptions::new().append(true).create(true).open(self.log()).expect("a log");
        let child = command.stdout(Stdio::piped()).stderr(log).kill_on_drop(true).spawn();
        let mut child = child.expect("the server is built together with its test");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let answers = lines.next_line().await.expect("its output is text");
        assert!(answers.is_some(), "the server does not start:\n{}", self.told());
        Life { child, journal }
    }

    /// The operator's credentials, as the first start wrote them down.
    pub fn credentials(&self) -> Credentials {
        let text =
            fs::read(self.folder.path().join("data/operator.json")).expect("the first start writes it");
        serde_json::from_slice(&text).expect("they are JSON")
    }

    /// What the servers have logged.
    pub fn told(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log.txt")
    }
}

impl Life {
    /// Waits for its death.
    pub async fn end(&mut self) -> ExitStatus {
        self.child.wait().await.expect("a child can be waited for")
    }

    /// What it has committed so far.
    pub fn journal(&self) -> Vec<Entry> {
        read(&self.journal).expect("the server keeps it")
    }

    /// Kills it.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a child can be killed");
    }
}
