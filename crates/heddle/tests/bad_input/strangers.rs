//! Servers that are not there, or are something else.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
};

use serde_json::{Value, json};

use crate::{
    place::{Place, text},
    server::Server,
};

/// Whoever has credentials for `url` asks there.
fn credentials(place: &Place, url: &str, secret: &str) -> String {
    let content = json!({"url": url, "clientId": "operator", "clientSecret": secret}).to_string();
    text(&place.private_file("operator.json", content)).to_owned()
}

/// A web server that answers every request with a page, until the test ends.
fn web_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("free");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("the same connection"));
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
                line.clear();
            }
            let page = "<!DOCTYPE html><title>Welcome</title>";
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close";
            drop(write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{page}", page.len()));
        }
    });
    url
}

/// What both commands say of `url`.
fn asked(place: &Place, url: &str, parts: &[&str]) {
    let file = credentials(place, url, "s3cret");
    let outcome = place.run(&["demo", "--server", url, "--credentials", &file, "-o", "json"]);
    outcome.says(&[&["log in: ", url], parts].concat());
    let object: Value = serde_json::from_str(&outcome.stdout).expect("one object");
    assert_eq!((&object["ok"], &object["step"]), (&json!(false), &json!("log in")));
    let status = place.run(&["status", "--server", url]);
    status.says(&[&[url], parts].concat());
    assert_eq!(status.stdout, "");
}

#[test]
fn a_server_that_is_not_there_is_named_at_once() {
    let place = Place::new();
    let address = TcpListener::bind("127.0.0.1:0").expect("free").local_addr().expect("bound");
    let parts = ["no server answers", "Connection refused", "heddle start-dev", "--server"];
    asked(&place, &format!("http://{address}"), &parts);
}

#[test]
fn something_that_is_not_heddle_is_named() {
    let place = Place::new();
    asked(&place, &web_server(), &["is not a Heddle server", "name the right address"]);
}

#[test]
fn an_address_that_is_none_is_told_with_an_example() {
    let place = Place::new();
    asked(&place, "localhost", &["is not a URL", "http://host:port"]);
}

#[test]
fn nobody_on_board_cannot_share_and_the_whole_story_brings_them_there() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let outcome = place.run(&["demo", "--server", &server.url, "--only", "share"]);
    outcome.says(&["nobody is on board", &server.url, "without --only"]);
    for more in [&[][..], &["--only", "share"]] {
        let outcome = place.run(&[&["demo", "--server", &server.url], more].concat());
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
}
