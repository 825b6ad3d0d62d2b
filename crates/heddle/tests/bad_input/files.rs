//! Files to share that cannot be read.

use std::{fs, process::Stdio};

use serde_json::Value;

use crate::{
    outcome::Outcome,
    place::{Place, set_mode, text},
};

/// Text for a person: the sentence alone. JSON for a program: one object, and the same words.
fn refused(place: &Place, file: &str, parts: &[&str]) {
    let outcome = place.run(&["demo", "--file", file]);
    outcome.says(&[&["read the file: ", file], parts].concat());
    assert_eq!(outcome.stdout, "", "no step was taken");
    let outcome = place.run(&["demo", "--file", file, "-o", "json"]);
    let sentence = outcome.sentence();
    let object: Value = serde_json::from_str(&outcome.stdout).expect("one object");
    assert_eq!(object["ok"], false);
    assert_eq!(object["step"], "read the file");
    assert_eq!(format!("read the file: {}", object["reason"].as_str().expect("a reason")), sentence);
}

#[test]
fn a_missing_file_is_named() {
    let place = Place::new();
    let file = place.path("absent.bin");
    refused(&place, text(&file), &["No such file or directory", "name another one with --file"]);
}

#[test]
fn a_reader_that_goes_away_ends_no_story() {
    let place = Place::new();
    let mut command = place.command(&["demo"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("heddle runs");
    drop(child.stdout.take());
    let outcome = Outcome::of(child);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
}

#[test]
fn a_directory_and_a_pipe_are_no_files() {
    let place = Place::new();
    let directory = place.directory("folder");
    refused(&place, text(&directory), &["is a directory", "name a file"]);
    refused(&place, "/dev/zero", &["is not a regular file"]);
}

#[test]
fn a_file_that_this_user_may_not_read_is_named_and_shared_when_he_may() {
    let place = Place::of_an_unprivileged_user();
    let file = place.file("secret.bin", "the content");
    set_mode(&file, 0o000);
    refused(&place, text(&file), &["Permission denied"]);
    set_mode(&file, 0o644);
    let Outcome { code, stdout, stderr } = place.run(&["demo", "--file", text(&file)]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("The same 11 bytes on both sides"), "{stdout}");
    assert_eq!(fs::read(&file).expect("reads"), b"the content");
}
