//! A server that runs as a process of its own until it is stopped.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::place::{Place, text};

pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// `start-dev` on a free port, or the one that the data directory knows.
    pub fn start(place: &Place, more: &[&str]) -> Self {
        let data = place.data();
        Self::spawn(place, &[&["start-dev", "--port", "0", "--data-dir", text(&data)], more].concat())
    }

    /// Any command that starts a server.
    pub fn spawn(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.command(arguments);
        command.args(["-o", "json"]);
        Self::run(place, command)
    }

    /// A command that starts a server and prints what it started as JSON.
    pub fn run(place: &Place, mut command: Command) -> Self {
        let log = place.path("server.log");
        command.stdout(Stdio::piped()).stderr(File::create(&log).expect("a log"));
        let mut child = command.spawn().expect("heddle runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says something");
        let started: serde_json::Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("it starts: {}", std::fs::read_to_string(&log).unwrap_or_default()));
        let url = started["url"].as_str().expect("a URL").to_owned();
        Self { child, url }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether a person who asks is told that it is ready.
    pub fn is_ready(&self, place: &Place) -> bool {
        let outcome = place.run(&["status", "--server", &self.url]);
        outcome.code == Some(0) && outcome.stdout.contains("ready      yes")
    }

    /// Stops it as an operator does; gives the URL that it had.
    pub fn stop(mut self) -> String {
        end(self.child.id());
        assert!(self.child.wait().expect("it ends").success());
        self.url.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, or the test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks a process to end.
pub fn end(id: u32) {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw).expect("an id of a process");
    kill_process(id, Signal::TERM).expect("the process is ours");
}

/// A place whose server has run once, so that there is something to lose.
pub fn used(place: Place) -> Place {
    Server::start(&place, &[]).stop();
    place
}
