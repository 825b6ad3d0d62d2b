//! A port that somebody else has, and a data directory that another server has.

use std::net::TcpListener;

use crate::{
    place::{Place, contents, free_port},
    server::{Server, used},
};

#[test]
fn a_taken_port_is_named_and_nothing_is_changed() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("free");
    let port = holder.local_addr().expect("bound").port().to_string();
    let place = Place::new();
    place.start(&["--port", &port]).says(&[&port, "127.0.0.1", "is in use", "choose another port"]);
    // The failed start has not fixed that port as part of the URL.
    let arguments = ["start-dev", "--data-dir", "data", "--port", &free_port()];
    let url = Server::spawn(&place, &arguments).stop();
    assert!(!url.ends_with(&port), "{url}");
    let before = contents(&place.data());
    let known = url.rsplit(':').next().expect("a port");
    let taken = TcpListener::bind(format!("127.0.0.1:{known}")).expect("free again");
    place.start(&[]).says(&[known, "is in use"]);
    assert_eq!(contents(&place.data()), before);
    drop(taken);
    assert_eq!(Server::start(&place, &[]).stop(), url);
}

#[test]
fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let outcome = place.start(&["--port", "0"]);
    outcome.says(&["heddle.db", "in use by another process", "stop that one"]);
    assert!(server.is_ready(&place));
    let url = server.stop();
    assert_eq!(Server::start(&place, &[]).stop(), url);
}

#[test]
fn another_port_than_that_of_the_first_start_is_refused_because_every_did_names_it() {
    let place = used(Place::new());
    let before = contents(&place.data());
    let port = free_port();
    place.start(&["--port", &port]).says(&["since the first start", &port, "another data directory"]);
    assert_eq!(contents(&place.data()), before);
    Server::start(&place, &[]).stop();
}
