//! PostgreSQL that is away, is something else, or does not let us in.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    thread,
};

use heddle_store_postgres::testing::TestPostgres;

use crate::{
    outage::waits_and_says,
    outcome::Outcome,
    place::{Place, contents, text},
    server::Server,
};

fn start(place: &Place, url: &str) -> Outcome {
    let file = place.file("heddle.toml", configuration(url));
    let outcome = place.run(&["start-dev", "--port", "0", "--config", text(&file)]);
    assert!(!format!("{outcome:?}").contains("s3cret"), "no password is told: {outcome:?}");
    outcome
}

fn configuration(url: &str) -> String {
    format!("data_dir = \"data\"\n[database]\nkind = \"postgres\"\nurl = \"{url}\"\n")
}

#[test]
fn a_database_where_nobody_listens_is_named_without_the_password_and_waited_for() {
    let free = TcpListener::bind("127.0.0.1:0").expect("free").local_addr().expect("bound").to_string();
    let parts = ["PostgreSQL", &free, "Connection refused", "right host and port"];
    waits_and_says(&format!("postgres://heddle:s3cret@{free}/heddle"), &parts);
}

#[test]
fn something_that_is_not_postgresql_is_named() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("free");
    let address = listener.local_addr().expect("bound").to_string();
    let web = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody calls");
        drop(stream.read(&mut [0; 64]));
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"));
        drop(stream.shutdown(Shutdown::Write));
        // What is not read would reset the connection before its answer has arrived.
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let outcome = start(&place, &format!("postgres://heddle:s3cret@{address}/heddle"));
    outcome.says(&[&address, "does not speak PostgreSQL's protocol", "right host and port"]);
    web.join().expect("it has answered");
}

#[test]
fn a_database_that_says_nothing_is_named_and_the_wait_for_it_can_be_broken_off() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("free");
    let address = listener.local_addr().expect("bound").to_string();
    let parts = ["PostgreSQL", &address, "does not answer in time"];
    waits_and_says(&format!("postgres://heddle:s3cret@{address}/heddle"), &parts);
    drop(listener.accept().expect("it has called"));
}

#[test]
fn a_url_that_cannot_be_read_is_told_without_the_password() {
    let place = Place::new();
    let outcome = start(&place, "mysql://heddle:s3cret@127.0.0.1:1/heddle");
    outcome.says(&["database's URL cannot be read", "postgresql://user:password@host:port/database"]);
}

#[test]
fn a_wrong_password_is_told_and_the_right_one_opens_everything_again() {
    let server = TestPostgres::start();
    let url = server.url();
    drop(server.administer(&url, "ALTER ROLE heddle PASSWORD 'right'"));
    let rules = server.administer(&url, "SHOW hba_file");
    fs::write(rules, "local all admin trust\nhost all heddle 127.0.0.1/32 scram-sha-256\n").expect("written");
    server.restart();
    let with = |password: &str| url.replace("heddle@", &format!("heddle{password}@"));
    let address = url.split(['@', '/']).nth(3).expect("host and port");

    let place = Place::new();
    let file = place.file("heddle.toml", configuration(&with(":right")));
    let arguments = ["start-dev", "--port", "0", "--config", text(&file)];
    let first = Server::spawn(&place, &arguments).stop();
    let before = contents(&place.data());
    start(&place, &with(":s3cret")).says(&[
        address,
        "'heddle'",
        "password authentication failed",
        "right user",
    ]);
    start(&place, &with("")).says(&[address, "'heddle'", "has none"]);
    let absent = with(":right").replace("heddle_0", "heddle_9");
    start(&place, &absent).says(&[address, "heddle_9", "does not exist", "create it"]);
    assert_eq!(contents(&place.data()), before);
    fs::write(&file, configuration(&with(":right"))).expect("written");
    assert_eq!(Server::spawn(&place, &arguments).stop(), first, "the same installation");
}

#[test]
fn a_database_of_a_newer_release_is_refused_and_stays_usable_for_that_one() {
    let server = TestPostgres::shared();
    let url = server.url();
    let place = Place::new();
    let file = place.file("heddle.toml", configuration(&url));
    let arguments = ["start-dev", "--port", "0", "--config", text(&file)];
    let first = Server::spawn(&place, &arguments).stop();
    let newer = "INSERT INTO heddle.migration VALUES (9000, 'of the future', 9000, 0)";
    drop(server.administer(&url, newer));
    start(&place, &url).says(&["schema 9000", "install the newer release"]);
    drop(server.administer(&url, "DELETE FROM heddle.migration WHERE number = 9000"));
    assert_eq!(Server::spawn(&place, &arguments).stop(), first, "the same installation");
}
