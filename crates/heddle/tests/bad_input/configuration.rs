//! Configuration files with mistakes.

use crate::{
    outcome::Outcome,
    place::{Place, text},
};

fn serve(place: &Place, content: &str) -> Outcome {
    let file = place.file("heddle.toml", content);
    let outcome = place.run(&["serve", "--config", text(&file)]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    outcome.looks_like_words();
    assert!(!place.path(".heddle").exists(), "nothing was begun");
    outcome
}

const MISTAKEN: &str = r#"lisen = "127.0.0.1:7979"
public_url = "ftp://example.org"
roles = ["control-plane", "control-plain"]
development = "yes"
body_bytes_max = 7
drain_seconds = 3600
colour = "blue"

[database]
kind = "oracle"
conections_max = 4

[log]
format = "xml"
filter = "a=b=c"
"#;

#[test]
fn all_mistakes_of_a_file_are_told_at_once_each_with_its_line() {
    let place = Place::new();
    let outcome = serve(&place, MISTAKEN);
    let mut lines: Vec<&str> = outcome.stderr.lines().collect();
    let heading = lines.remove(0);
    assert!(heading.starts_with("heddle: ") && heading.ends_with("heddle.toml has 11 mistakes"), "{heading}");
    for expected in [
        "line 1: 'lisen' is not a setting; did you mean 'listen'?",
        "line 2: 'public_url' must be a scheme, a host and perhaps a port",
        "line 3: 'control-plain' is not a role; the roles are",
        "line 4: 'development' must be true or false, not string",
        "line 5: 'body_bytes_max' must be from 1024 to 1073741824",
        "line 6: 'drain_seconds' must be from 0 to 600",
        "line 7: 'colour' is not a setting",
        "line 10: 'database.kind' must be sqlite or postgres, not 'oracle'",
        "line 11: 'database.conections_max' is not a setting; did you mean 'connections_max'?",
        "line 14: 'log.format' must be json or text, not 'xml'",
        "line 15: 'log.filter' must be levels such as info",
    ] {
        let place = lines.iter().position(|line| line.trim_start().starts_with(expected));
        lines.remove(place.unwrap_or_else(|| panic!("'{expected}' is missing:\n{}", outcome.stderr)));
    }
    assert!(lines.is_empty(), "nothing else is told: {lines:#?}");
}

#[test]
fn a_file_that_is_no_toml_is_told_with_line_and_column_and_without_its_secrets() {
    let place = Place::new();
    let outcome = serve(&place, "[database]\nkind = \"postgres\"\nurl = postgres://u:s3cret@h/d\n");
    outcome.says(&["heddle.toml is not valid TOML: line 3, column 7: "]);
    assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
}

#[test]
fn a_missing_file_and_a_directory_are_named() {
    let place = Place::new();
    let absent = place.path("absent.toml");
    for command in ["serve", "start-dev"] {
        let outcome = place.run(&[command, "--config", text(&absent)]);
        outcome.says(&[text(&absent), "No such file or directory", "name another one with --config"]);
    }
    let directory = place.directory("folder");
    place.run(&["serve", "--config", text(&directory)]).says(&[text(&directory), "Is a directory"]);
}
