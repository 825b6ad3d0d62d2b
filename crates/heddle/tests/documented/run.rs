//! Types documented commands, one after the other, with a home and a data directory of their own.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The port that documents name; here a free one takes its place.
const DOCUMENTED_PORT: &str = "7979";

/// A folder where the commands of one document run, and the server that they have started.
pub struct Stage {
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Stage {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        Self { folder: tempfile::tempdir().expect("a folder"), port, server: None }
    }

    /// Types one command; asserts what the documents promise of it.
    pub fn play(&mut self, arguments: &[String]) {
        match arguments.first().map(String::as_str) {
            Some("start-dev" | "serve") => self.start(arguments),
            Some("demo") => self.demo(arguments),
            _ => drop(self.done(arguments)),
        }
    }

    /// It goes on in the background, as in a second terminal.
    fn start(&mut self, arguments: &[String]) {
        assert!(self.server.is_none(), "a document starts one server");
        let log = File::create(self.folder.path().join("heddle.log")).expect("a log");
        let mut command = self.command(arguments);
        if !arguments.iter().any(|argument| argument == "--port") {
            command.arg("--port").arg(self.port.to_string());
        }
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("heddle runs");
        let output = child.stdout.take().expect("it is piped");
        self.server = Some(child);
        // Its last line is the command to try next.
        let mut told = String::new();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            told = told + &line + "\n";
            if line.trim_start().starts_with("try ") {
                break;
            }
        }
        for promised in [&format!("http://127.0.0.1:{}", self.port), "credentials", "not for production"] {
            assert!(told.contains(promised), "'{promised}' is missing: {told}");
        }
    }

    fn demo(&self, arguments: &[String]) {
        let output = self.done(arguments);
        if arguments.iter().any(|argument| argument == "json") {
            assert_eq!(output.lines().count(), 1, "one object: {output}");
            let report: Value = serde_json::from_str(&output).expect("JSON");
            assert_eq!(report["ok"], true);
            assert_eq!(report["sha256"].as_str().map(str::len), Some(64), "{output}");
            assert!(report["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{output}");
            assert!(report["elapsed_ms"].is_u64(), "{output}");
            let steps = report["steps"].as_array().expect("steps");
            assert!(steps.iter().all(|step| step["name"].is_string() && step["ms"].is_u64()), "{output}");
            assert!(steps.iter().any(|step| step["messages"].is_array()), "{output}");
        } else {
            let last = output.lines().last().expect("a last line");
            assert!(
                last.starts_with("The same ") && last.contains("bytes on both sides, SHA-256 "),
                "{last}"
            );
        }
    }

    /// Runs a whole block; it ends well and tells something.
    pub fn script(&self, text: &str) {
        let folder = self.folder.path();
        let program = env!("CARGO_BIN_EXE_heddle");
        let dev = format!("#!/bin/sh\nexec '{program}' \"$@\"\n");
        for name in ["dev", "heddle"] {
            let path = folder.join(name);
            fs::write(&path, &dev).expect("it is written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may be run");
        }
        let text = text.replace(DOCUMENTED_PORT, &self.port.to_string());
        let mut command = Command::new("bash");
        command.args(["-e", "-u", "-o", "pipefail", "-c", &text]);
        command.current_dir(folder).stdin(Stdio::null());
        command.env("HOME", folder).env("XDG_CONFIG_HOME", folder.join("config"));
        without_settings(&mut command);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", folder.display()));
        let output = command.output().expect("bash runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output.stdout.is_empty(), "{text}\n{said}");
    }

    /// Runs a command to its good end; gives what it printed.
    fn done(&self, arguments: &[String]) -> String {
        let output = self.command(arguments).output().expect("heddle runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "heddle {}: {said}", arguments.join(" "));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn command(&self, arguments: &[String]) -> Command {
        let folder: &Path = self.folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_heddle"));
        let port = self.port.to_string();
        command.args(arguments.iter().map(|argument| argument.replace(DOCUMENTED_PORT, &port)));
        command.current_dir(folder).stdin(Stdio::null());
        command.env("HOME", folder).env("XDG_CONFIG_HOME", folder.join("config"));
        without_settings(&mut command);
        command
    }
}

/// What the environment of this test says of servers and collectors is not for the documents.
fn without_settings(command: &mut Command) {
    let names = std::env::vars_os().map(|(name, _)| name);
    let set = |name: &std::ffi::OsString| {
        name.to_str().is_some_and(|name| name.starts_with("HEDDLE_") || name.starts_with("OTEL_"))
    };
    for name in names.filter(set) {
        command.env_remove(name);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It may have ended already.
            drop(server.kill());
            drop(server.wait());
        }
    }
}
