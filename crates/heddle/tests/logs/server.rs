//! A server as a process of its own, with its log in a file.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use heddle::home::Credentials;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::collector::API_KEY;

/// A running `heddle start-dev`.
pub struct Server {
    process: Child,
    folder: TempDir,
    credentials: Credentials,
}

impl Server {
    /// Starts it, as talkative as it can be; it tells the collector at `endpoint` as well, under this name.
    pub async fn start(name: &str, endpoint: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let configuration = folder.path().join("heddle.toml");
        fs::write(folder.path().join("otlp-headers"), format!("api-key: {API_KEY}\n")).expect("written");
        // So seldom that the numbers come when it stops.
        let settings = format!(
            "[log]\nfilter = \"trace\"\n\n[telemetry]\nendpoint = \"{endpoint}\"\nservice_name = \"{name}\"\n\
             headers_file = \"otlp-headers\"\nexport_interval_seconds = 3600\ncensus_seconds = 1\n"
        );
        fs::write(&configuration, settings).expect("written");
        let log = File::create(log_in(folder.path())).expect("made");
        let mut process = Command::new(env!("CARGO_BIN_EXE_heddle"))
            .args(["start-dev", "--port", "0", "--output", "json", "--config"])
            .arg(&configuration)
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let stdout = process.stdout.take().expect("it is piped");
        let line = BufReader::new(stdout).lines().next_line().await.expect("it is readable");
        let line = line.unwrap_or_else(|| panic!("it does not answer: {}", log_text(folder.path())));
        let started: Value = serde_json::from_str(&line).expect("what was started, in JSON");
        let file = started["credentialsFile"].as_str().expect("credentials are generated");
        let credentials = fs::read(file).expect("they are written down");
        let credentials = serde_json::from_slice(&credentials).expect("they are JSON");
        Self { process, folder, credentials }
    }

    /// The operator's credentials.
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The bytes of its master key.
    pub fn master_key(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("data/master.key")).expect("it was made at the start")
    }

    /// Where it may write whatever belongs to a user.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it as an operator would, and gives its log.
    pub async fn stop(mut self) -> Vec<super::Line> {
        let id = self.process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("it runs");
        kill_process(id, Signal::TERM).expect("the process is ours");
        let ended = self.process.wait().await.expect("it is ours to wait for");
        assert!(ended.success(), "{ended}: {}", log_text(self.folder.path()));
        super::lines::read(&log_in(self.folder.path()))
    }
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("heddle.log")
}

fn log_text(folder: &Path) -> String {
    fs::read_to_string(log_in(folder)).unwrap_or_default()
}
