//! Data directories that cannot be used: another's, read-only ones, files, newer and damaged ones.

use std::fs;

use heddle_store_sqlite::testing::administer;

use crate::{
    place::{Place, contents, set_mode, text},
    server::{Server, used},
};

fn own_place() -> Place {
    let place = Place::of_an_unprivileged_user();
    place.directory("data");
    set_mode(&place.data(), 0o700);
    used(place)
}

#[test]
fn a_directory_without_access_is_named_and_used_again_with_it() {
    let place = own_place();
    let before = contents(&place.data());
    for mode in [0o000, 0o500] {
        set_mode(&place.data(), mode);
        let outcome = place.start(&[]);
        outcome.says(&[text(&place.data()), "Permission denied", "give this user access"]);
        set_mode(&place.data(), 0o700);
        assert_eq!(contents(&place.data()), before);
    }
    Server::start(&place, &[]).stop();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let place = Place::of_an_unprivileged_user();
    let closed = place.directory("closed");
    set_mode(&closed, 0o500);
    let inside = closed.join("data");
    let outcome = place.run(&["start-dev", "--port", "0", "--data-dir", text(&inside)]);
    outcome.says(&[text(&inside), "cannot be made", "Permission denied", "--data-dir"]);
    set_mode(&closed, 0o700);
}

#[test]
fn a_file_in_place_of_the_directory_stays_as_it_was() {
    let place = Place::new();
    let data = place.file("data", "a letter");
    place.start(&["--port", "0"]).says(&[text(&data), "is not a directory"]);
    assert_eq!(fs::read(&data).expect("reads"), b"a letter");
}

#[test]
fn a_database_that_cannot_be_written_is_named_and_used_again_when_it_can() {
    let place = own_place();
    let database = place.data().join("heddle.db");
    let before = contents(&place.data());
    set_mode(&database, 0o000);
    place.start(&[]).says(&[text(&database), "Permission denied"]);
    set_mode(&database, 0o600);
    assert_eq!(contents(&place.data()), before);
    Server::start(&place, &[]).stop();
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let place = used(Place::new());
    let database = place.data().join("heddle.db");
    let good = fs::read(&database).expect("reads");
    fs::write(&database, "Dear diary, this is not SQLite. ".repeat(64)).expect("written");
    let before = contents(&place.data());
    place.start(&[]).says(&[text(&database), "not a database"]);
    assert_eq!(contents(&place.data()), before);
    fs::write(&database, good).expect("restored from its backup");
    Server::start(&place, &[]).stop();
}

#[test]
fn a_damaged_database_is_named_with_what_to_do_and_a_backup_of_it_works() {
    let place = used(Place::new());
    let database = place.data().join("heddle.db");
    let good = fs::read(&database).expect("reads");
    let mut bad = good.clone();
    // All but the first page, which says that this is a database.
    bad[4096..].fill(0xA5);
    fs::write(&database, &bad).expect("written");
    let before = contents(&place.data());
    let parts = [text(&database), "is damaged", "malformed", "keep a copy", "restore a backup"];
    place.start(&[]).says(&parts);
    assert_eq!(contents(&place.data()), before);
    fs::write(&database, good).expect("restored from its backup");
    Server::start(&place, &[]).stop();
}

#[test]
fn a_directory_that_becomes_read_only_while_a_server_runs_does_not_stop_it() {
    let place = own_place();
    let server = Server::start(&place, &[]);
    set_mode(&place.data(), 0o500);
    assert!(server.is_ready(&place));
    server.stop();
    set_mode(&place.data(), 0o700);
    Server::start(&place, &[]).stop();
}

#[test]
fn a_database_of_a_newer_release_is_refused_and_stays_usable_for_that_one() {
    let place = used(Place::new());
    let database = place.data().join("heddle.db");
    // The row that a release of the future would leave behind.
    administer(&database, "INSERT INTO migration VALUES (9000, 'of the future', 9000, 0)");
    let before = contents(&place.data());
    place.start(&[]).says(&["schema 9000", "install the newer release", "restore a backup"]);
    assert_eq!(contents(&place.data()), before);
    administer(&database, "DELETE FROM migration WHERE number = 9000");
    Server::start(&place, &[]).stop();
}
