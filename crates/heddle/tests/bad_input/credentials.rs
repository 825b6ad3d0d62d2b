//! Credentials of the operator that are wrong, absent, exposed or somebody else's.

use std::fs;

use crate::{
    place::{Place, contents, set_mode, text},
    server::Server,
};

/// Both commands refuse the file with the same words.
fn refused(place: &Place, server: &Server, file: &str, parts: &[&str]) {
    for command in ["demo", "status"] {
        let outcome = place.run(&[command, "--server", &server.url, "--credentials", file]);
        outcome.says(&[&[file], parts].concat());
        assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
        assert_eq!(outcome.stdout, "", "nothing was done");
    }
}

#[test]
fn credentials_files_that_cannot_be_used_are_named_with_what_to_do() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let good = fs::read_to_string(place.data().join("operator.json")).expect("it was written");
    refused(
        &place,
        &server,
        text(&place.path("absent.json")),
        &["cannot be read", "No such file", "--credentials"],
    );

    let file = place.private_file("copy.json", &good);
    set_mode(&file, 0o640);
    refused(&place, &server, text(&file), &["accessed by others", "0640", "chmod 600"]);

    let file = place.private_file("broken.json", "{\"clientSecret\": \"s3cret\"");
    refused(&place, &server, text(&file), &["is not a credentials file", "operator.json"]);

    let other = good.replace(&server.url, "http://127.0.0.1:1");
    let file = place.private_file("other.json", other);
    refused(&place, &server, text(&file), &["those of http://127.0.0.1:1", &server.url, "--credentials"]);

    let file = place.private_file("copy.json", good);
    let outcome = place.run(&["status", "--server", &server.url, "--credentials", text(&file)]);
    assert!(outcome.stdout.contains("client     operator"), "{outcome:?}");
}

#[test]
fn a_wrong_secret_is_told_and_nothing_is_made_with_it() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let good: serde_json::Value =
        serde_json::from_slice(&fs::read(place.data().join("operator.json")).expect("reads")).expect("JSON");
    let mut wrong = good;
    wrong["clientSecret"] = "s3cret".into();
    let file = place.private_file("wrong.json", wrong.to_string());
    let outcome = place.run(&["demo", "--server", &server.url, "--credentials", text(&file)]);
    outcome.says(&[
        "log in: ",
        &server.url,
        "does not accept the credentials of 'operator'",
        "--credentials",
    ]);
    assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
    assert!(!outcome.stdout.contains("found a dataspace"));
    assert!(server.is_ready(&place));
}

#[test]
fn a_server_that_this_user_has_not_started_can_be_looked_at_and_not_played_with() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let stranger = Place::new();
    let outcome = stranger.run(&["demo", "--server", &server.url]);
    outcome.says(&["no credentials are known", &server.url, "heddle start-dev", "--credentials"]);
    let outcome = stranger.run(&["status", "--server", &server.url]);
    assert!(outcome.code == Some(0) && outcome.stdout.contains("client     unknown"), "{outcome:?}");
    stranger.run(&["status"]).says(&["no server is known", "heddle start-dev", "--server"]);
}

#[test]
fn a_home_that_cannot_be_written_stops_no_server_and_a_damaged_memory_is_named() {
    let place = Place::of_an_unprivileged_user();
    place.directory("data");
    set_mode(&place.path("home"), 0o500);
    Server::start(&place, &[]).stop();
    let log = fs::read_to_string(place.path("server.log")).expect("a log");
    assert!(log.contains("will not know this server"), "{log}");
    set_mode(&place.path("home"), 0o700);

    let place = Place::new();
    fs::create_dir_all(place.path("home/config/heddle")).expect("made");
    let memory = place.file("home/config/heddle/servers.json", "[");
    let before = contents(&place.path("home"));
    place.run(&["status"]).says(&[text(&memory), "cannot be used"]);
    assert_eq!(contents(&place.path("home")), before);
}
