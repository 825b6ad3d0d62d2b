//! What `README.md` tells people to type is typed here, and the code that the guide shows is the code that runs.

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use support::free_ports;

const README: &str = include_str!("../README.md");
const GUIDE: &str = include_str!("../../../docs/guides/adding-an-aggregate.md");
/// How the README runs the program.
const RUN: &str = "cargo run --package heddle-pingpong -- ";

/// A server that goes on beside the test.
struct Background(
    Child,
    #[expect(dead_code, reason = "held open for as long as it prints")] BufReader<ChildStdout>,
);

/// The blocks of a language in a document.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    text.split(begin.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Waits for the URL that a server prints when it answers.
fn serve(mut command: Command) -> Background {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("its output is text");
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    Background(child, output)
}

#[test]
fn the_readme_does_what_it_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ping, pong] = free_ports::<2>();
    let commands = blocks(README, "sh");
    let promised = blocks(README, "text");
    let (mut servers, mut played) = (Vec::new(), String::new());
    for line in commands.iter().flat_map(|block| block.lines()) {
        let line = line.replace("7981", &ping.to_string()).replace("7982", &pong.to_string());
        let arguments = line.strip_prefix(RUN).expect("the README runs nothing else");
        let mut command = Command::new(env!("CARGO_BIN_EXE_pingpong"));
        command.args(arguments.split_whitespace()).current_dir(&folder).stdin(Stdio::null());
        if arguments.starts_with("serve ") {
            servers.push(serve(command));
        } else {
            let output = command.output().expect("it runs");
            assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
            played += &String::from_utf8_lossy(&output.stdout);
        }
    }
    assert_eq!((servers.len(), promised.as_slice()), (2, [played.as_str()].as_slice()));
}

#[test]
fn the_guide_shows_the_code_that_runs() {
    let sources: Vec<String> = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let shown = blocks(GUIDE, "rust");
    assert!(shown.len() > 8, "the guide shows code");
    for block in shown {
        let there = sources.iter().any(|source| source.contains(block));
        assert!(there, "the guide shows code that is not in the example:\n{block}");
    }
}

fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("lists").map(|entry| entry.expect("an entry").path());
    let paths: Vec<PathBuf> = entries.collect();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a text");
    paths.iter().flat_map(|path| if path.is_dir() { sources(path) } else { vec![read(path)] }).collect()
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
