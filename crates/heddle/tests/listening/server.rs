//! `heddle serve` as a process of its own, with its log in a file.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longest that a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A folder for a configuration and everything that it names.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program, with a home of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heddle"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("HOME", self.0.path()).env("XDG_CONFIG_HOME", self.path("config"));
        command
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("server.log")).unwrap_or_default()
    }

    /// Waits until the log says something so many times.
    pub async fn logged(&self, text: &str, times: usize) {
        let all = async {
            while self.log().matches(text).count() < times {
                // Another process writes the file: nobody tells when.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let told = tokio::time::timeout(PATIENCE, all).await;
        assert!(told.is_ok(), "'{text}' is not told {times} times:\n{}", self.log());
    }
}

/// A port that nobody has; below those that the operating system gives away.
pub fn free_address() -> SocketAddr {
    let first = 20_000 + u16::try_from(std::process::id() % 8000).expect("small");
    let free = (first..32_000).find(|port| {
        static TAKEN: std::sync::Mutex<Vec<u16>> = std::sync::Mutex::new(Vec::new());
        let mut taken = TAKEN.lock().expect("unpoisoned");
        let free = !taken.contains(port) && TcpListener::bind(("127.0.0.1", *port)).is_ok();
        if free {
            taken.push(*port);
        }
        free
    });
    SocketAddr::from(([127, 0, 0, 1], free.expect("a free port")))
}

pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// Starts for development with more settings.
    pub fn start(place: &Place, settings: &str) -> Self {
        let configuration = place.path("heddle.toml");
        fs::write(&configuration, format!("development = true\n{settings}")).expect("written");
        let log = File::create(place.path("server.log")).expect("a log");
        let mut command = place.command(&["serve", "--config", "heddle.toml", "-o", "json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("heddle runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says something");
        let started: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("it starts: {}", place.log()));
        Self { child, url: started["url"].as_str().expect("a URL").to_owned() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.url.rsplit('/').next().expect("a host").parse().expect("an address")
    }

    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("an id");
        kill_process(id, signal).expect("the process is ours");
    }

    /// Waits until it has ended.
    pub async fn ended(mut self) -> ExitStatus {
        tokio::task::spawn_blocking(move || self.child.wait().expect("it ends")).await.expect("no panic")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, or the test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Why a server with these settings does not start.
pub fn refused(place: &Place, settings: &str) -> String {
    let configuration = place.path("heddle.toml");
    fs::write(&configuration, format!("development = true\n{settings}")).expect("written");
    let output = place.command(&["serve", "--config", text(&configuration)]).output().expect("heddle runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    said.lines().filter(|line| line.starts_with("heddle: ")).collect()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}
