//! A master key that takes the place of another, at a server that runs and over the database of one that does not.

use std::fs;

use crate::{
    place::{Place, set_mode, text},
    server::Server,
};

#[test]
fn a_key_of_the_data_directory_is_rotated_at_once_and_the_old_one_opens_nothing_any_more() {
    let place = Place::new();
    let data = text(&place.data()).to_owned();
    let server = Server::spawn(&place, &["start-dev", "--port", "0", "--data-dir", &data]);
    let key = place.data().join("master.key");
    let old = fs::read(&key).expect("it was made");
    let status = |arguments: &[&str]| place.run(&[&["vault", "status", "-o", "json"], arguments].concat());
    let before = status(&["--server", &server.url]);
    let rotated = place.run(&["vault", "rotate", "--server", &server.url]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let after = status(&["--server", &server.url]);
    assert_ne!(before.stdout, after.stdout);
    assert_ne!(fs::read(&key).expect("there"), old);
    let played = place.run(&["demo", "--server", &server.url]);
    assert_eq!(played.code, Some(0), "{played:?}");
    server.stop();

    let stopped = status(&["--data-dir", &data]);
    assert_eq!(stopped.stdout, after.stdout, "the same without a server: {stopped:?}");
    let rotated = place.run(&["vault", "rotate", "--data-dir", &data]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let newest = fs::read(&key).expect("there");
    fs::write(&key, old).expect("the old one is put back");
    let outcome = place.run(&["start-dev", "--data-dir", &data]);
    outcome.says(&["master.key", "not the one that this data was encrypted with"]);
    fs::write(&key, newest).expect("the newest is put back");
    let server = Server::spawn(&place, &["start-dev", "--data-dir", &data]);
    let played = place.run(&["demo", "--server", &server.url, "--only", "share"]);
    assert_eq!(played.code, Some(0), "whoever was on board still is: {played:?}");
    server.stop();
}

#[test]
fn a_key_that_the_operator_provides_is_rotated_in_two_calls() {
    let place = Place::new();
    let configuration = place.file("heddle.toml", "data_dir = \"data\"\nmaster_key_file = \"the.key\"\n");
    let configuration = text(&configuration).to_owned();
    let key = place.private_file("the.key", [7; 32]);
    let server = Server::spawn(&place, &["start-dev", "--port", "0", "--config", &configuration]);
    let rotate = || place.run(&["vault", "rotate", "--server", &server.url]);
    rotate().says(&["there is no new master key", "the.key.next"]);
    let next = place.private_file("the.key.next", [8; 32]);
    set_mode(&next, 0o640);
    rotate().says(&["the.key.next", "accessed by others", "chmod 600"]);
    set_mode(&next, 0o600);
    let prepared = rotate();
    assert_eq!(prepared.code, Some(0), "{prepared:?}");
    assert!(prepared.stdout.contains("run this command again"), "{prepared:?}");
    assert_eq!(fs::read(&key).expect("there"), [7; 32], "it is not the server's to write");
    fs::copy(&next, &key).expect("replaced");
    let done = rotate();
    assert!(done.code == Some(0) && done.stdout.contains("no other opens the vault"), "{done:?}");
    server.stop();
    fs::write(&key, [7; 32]).expect("the old one is put back");
    let outcome = place.run(&["start-dev", "--config", &configuration]);
    outcome.says(&["the.key", "not the one that this data was encrypted with"]);
    fs::write(&key, [8; 32]).expect("the new one again");
    Server::spawn(&place, &["start-dev", "--config", &configuration]).stop();
}
