//! What the documentation tells people to type is typed here, and does what it promises.
//!
//! `./dev demo` and `./dev up` build a release first; here the program under test runs with the same arguments, after
//! a look into `./dev` that this is all they do. What only `./dev` can do must be a command that it knows. A line that
//! is neither fails the test.

mod lines;
mod run;

use std::{fs, path::Path};

use lines::{Line, shell_lines};
use run::Stage;

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders below the root")
}

fn dev() -> String {
    fs::read_to_string(root().join("dev")).expect("it is there")
}

/// README.md, CONTRIBUTING.md, ARCHITECTURE.md, and everything in `docs`.
fn documents() -> Vec<(String, String)> {
    let mut open = vec![root().join("docs")];
    let mut files: Vec<_> =
        ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"].map(|name| root().join(name)).to_vec();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read =
        |path: &std::path::PathBuf| (path.display().to_string(), fs::read_to_string(path).expect("a text"));
    files.iter().map(read).collect()
}

#[test]
fn dev_runs_the_program_with_the_arguments_as_they_are() {
    let dev = dev();
    for (command, subcommand) in [("demo", "demo"), ("up", "start-dev")] {
        let line = format!("  {command}) release; exec target/release/heddle {subcommand} \"$@\" ;;");
        assert!(dev.lines().any(|found| found == line), "./dev does something else than: {line}");
    }
}

#[test]
fn every_documented_command_does_what_it_promises() {
    let dev = dev();
    let mut run = 0;
    for (name, text) in documents() {
        let mut stage = Stage::new();
        for line in shell_lines(&text) {
            run += 1;
            match line {
                Line::Heddle(arguments) => stage.play(&arguments),
                Line::Script(text) => stage.script(&text),
                Line::Dev(command) => {
                    assert!(lines::knows(&dev, &command), "{name}: ./dev has no command '{command}'");
                }
                Line::Unknown(text) => panic!("{name}: nobody knows whether this works: {text}"),
            }
        }
    }
    assert!(run >= 4, "README.md shows the commands: {run}");
}

#[test]
fn every_command_of_dev_that_a_text_mentions_exists() {
    let dev = dev();
    for (name, text) in documents() {
        for command in lines::mentioned(&text) {
            assert!(lines::knows(&dev, &command), "{name}: ./dev has no command '{command}'");
        }
    }
}

#[test]
fn the_demo_prints_one_object_for_a_program() {
    Stage::new().play(&["demo".to_owned(), "-o".to_owned(), "json".to_owned()]);
}

#[test]
fn the_demo_shares_a_file_of_the_users() {
    let readme = root().join("README.md");
    let file = readme.to_str().expect("a path");
    Stage::new().play(&["demo".to_owned(), "--file".to_owned(), file.to_owned()]);
}
