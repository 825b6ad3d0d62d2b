//! Master keys that are not the right one, or none.

use std::fs;

use crate::{
    place::{Place, contents, free_port, set_mode, text},
    server::Server,
};

fn configured(place: &Place) -> String {
    let configuration = place.file("heddle.toml", "data_dir = \"data\"\nmaster_key_file = \"the.key\"\n");
    text(&configuration).to_owned()
}

#[test]
fn another_master_key_is_refused_and_the_right_one_opens_everything_again() {
    let place = Place::new();
    let configuration = configured(&place);
    let key = place.private_file("the.key", [7; 32]);
    let server = Server::spawn(&place, &["start-dev", "--port", "0", "--config", &configuration]);
    let played = place.run(&["demo", "--server", &server.url]);
    assert_eq!(played.code, Some(0), "{played:?}");
    server.stop();
    let before = contents(&place.data());

    fs::write(&key, [8; 32]).expect("another key");
    let outcome = place.run(&["start-dev", "--config", &configuration]);
    outcome.says(&["the.key", "not the one that this data was encrypted with", "name the right key file"]);
    assert_eq!(contents(&place.data()), before);

    fs::write(&key, [7; 32]).expect("the right key");
    let server = Server::spawn(&place, &["start-dev", "--config", &configuration]);
    let played = place.run(&["demo", "--server", &server.url, "--only", "share"]);
    assert_eq!(played.code, Some(0), "whoever was on board still is, with keys and credentials: {played:?}");
    server.stop();
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let place = Place::new();
    let configuration = configured(&place);
    let key = place.private_file("the.key", [7; 32]);
    set_mode(&key, 0o644);
    let outcome = place.run(&["start-dev", "--port", "0", "--config", &configuration]);
    outcome.says(&["the.key", "accessed by others", "0644", "chmod 600"]);
    set_mode(&key, 0o600);
    Server::spawn(&place, &["start-dev", "--port", "0", "--config", &configuration]).stop();
}

#[test]
fn a_key_that_is_too_short_too_long_or_absent_is_refused_and_none_is_made() {
    let place = Place::new();
    let configuration = configured(&place);
    let start = || place.run(&["start-dev", "--port", "0", "--config", &configuration]);
    start().says(&["the.key", "does not exist", "make one with"]);
    assert!(!place.path("the.key").exists());
    for (content, told) in [(vec![7; 31], "but holds 31"), (vec![7; 33], "but holds more")] {
        let key = place.private_file("the.key", &content);
        start().says(&["the.key", "exactly 32 bytes", told]);
        assert_eq!(fs::read(key).expect("reads"), content);
    }
    place.private_file("the.key", [7; 32]);
    // The refused starts have fixed nothing: any port will do.
    let port = free_port();
    Server::spawn(&place, &["start-dev", "--port", &port, "--config", &configuration]).stop();
}

#[test]
fn a_lost_key_is_not_replaced_by_a_new_one() {
    let place = crate::server::used(Place::new());
    let key = place.data().join("master.key");
    let content = fs::read(&key).expect("it was made");
    fs::remove_file(&key).expect("lost");
    let before = contents(&place.data());
    place.start(&[]).says(&["master.key", "is missing", "from its backup"]);
    assert_eq!(contents(&place.data()), before);
    place.private_file("data/master.key", content);
    Server::start(&place, &[]).stop();
}
