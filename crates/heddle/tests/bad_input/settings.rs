//! `heddle config`: new files, mistakes with their places, and what counts in the end.

use std::fs;

use serde_json::Value;

use crate::{
    outcome::Outcome,
    place::{Place, set_mode},
};

fn with_variable(place: &Place, arguments: &[&str], (name, value): (&str, &str)) -> Outcome {
    let mut command = place.command(arguments);
    command.env(name, value).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    Outcome::of(command.spawn().expect("heddle runs"))
}

fn done(outcome: Outcome) -> String {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.stdout
}

#[test]
fn a_new_file_is_right_and_is_not_replaced_unasked() {
    let place = Place::new();
    done(place.run(&["config", "init"]));
    let file = place.path("heddle.toml");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).expect("written").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let told = done(place.run(&["config", "check", "--config", "heddle.toml"]));
    assert!(told.contains("heddle.toml is right: 0 settings are set"), "{told}");
    fs::write(&file, "[log]\n").expect("written");
    place.run(&["config", "init"]).says(&["heddle.toml is there already", "--force"]);
    assert_eq!(fs::read_to_string(&file).expect("reads"), "[log]\n");
    done(place.run(&["config", "init", "--force"]));
    assert!(fs::read_to_string(&file).expect("reads").contains("HEDDLE_DATABASE_URL_FILE"));
}

#[test]
fn a_file_for_production_is_right_when_its_secrets_are_there() {
    let place = Place::new();
    let arguments = ["config", "init", "p.toml", "--production", "--public-url", "https://data.example.org"];
    done(place.run(&arguments));
    let path = place.path("p.toml");
    let written = fs::read_to_string(&path).expect("reads");
    assert!(written.contains("\nkind = \"postgres\"\n"), "{written}");
    let here = written.replace("/etc/heddle/", "").replace("/var/lib/heddle", "data");
    fs::write(&path, here).expect("written");
    let check = ["config", "check", "--config", "p.toml"];
    let missing = place.run(&check);
    assert_eq!(missing.code, Some(1));
    for expected in
        ["has 2 mistakes", "'master_key_file' names master.key, which does not exist", "'database.url_file'"]
    {
        assert!(missing.stderr.contains(expected), "{expected}: {missing:?}");
    }
    place.private_file("master.key", [7; 32]);
    place.private_file("database-url", "postgres://heddle:s3cret@db/heddle");
    assert!(done(place.run(&check)).contains("6 settings are set"));
}

#[test]
fn a_placeholder_is_no_public_url() {
    let place = Place::new();
    done(place.run(&["config", "init", "--production"]));
    let outcome = place.run(&["config", "check", "--config", "heddle.toml"]);
    assert!(outcome.stderr.contains("'public_url' is still the placeholder"), "{outcome:?}");
    let refused = place.run(&["config", "init", "x.toml", "--public-url", "nowhere"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(!place.path("x.toml").exists(), "what cannot be used is not written");
}

#[test]
fn files_that_a_configuration_names_are_looked_at_with_the_line_that_names_them() {
    let place = Place::new();
    set_mode(&place.file("url", "postgres://u:s3cret@h/d"), 0o644);
    place.file("empty.pem", "");
    place.directory("folder");
    let content = "master_key_file = \"absent.key\"\n[database]\nkind = \"postgres\"\nurl_file = \"url\"\n\
                   [outbound]\nroots_file = \"empty.pem\"\n[telemetry]\nheaders_file = \"folder\"\n[log]\nformat = \"xml\"\n";
    place.file("heddle.toml", content);
    let outcome = place.run(&["config", "check", "--config", "heddle.toml", "-o", "json"]);
    assert_eq!(outcome.code, Some(1));
    assert!(!format!("{outcome:?}").contains("s3cret"));
    let told: Value = serde_json::from_str(&outcome.stdout).expect("one object");
    let lines: Vec<u64> =
        told["mistakes"].as_array().expect("a list").iter().filter_map(|m| m["line"].as_u64()).collect();
    assert_eq!(lines, [1, 4, 6, 8, 10], "{told}");
    for expected in
        ["does not exist", "(mode 0644); run: chmod 600", "is empty", "is a directory", "json or text"]
    {
        assert!(outcome.stdout.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn a_secret_that_this_user_may_not_read_is_a_mistake() {
    let place = Place::of_an_unprivileged_user();
    set_mode(&place.private_file("key", [1; 32]), 0o000);
    place.file("heddle.toml", "master_key_file = \"key\"\n");
    let outcome = place.run(&["config", "check", "--config", "heddle.toml"]);
    assert!(
        outcome.stderr.contains("line 1: 'master_key_file' names key, which cannot be read"),
        "{outcome:?}"
    );
}

#[test]
fn a_password_in_a_file_that_others_may_read_is_a_mistake_and_is_never_shown() {
    let place = Place::new();
    let file =
        place.file("heddle.toml", "[database]\nkind = \"postgres\"\nurl = \"postgres://u:s3cret@h/d\"\n");
    set_mode(&file, 0o644);
    let outcome = place.run(&["config", "check", "--config", "heddle.toml"]);
    assert!(outcome.stderr.contains("line 3: 'database.url' holds a password"), "{outcome:?}");
    set_mode(&file, 0o600);
    done(place.run(&["config", "check", "--config", "heddle.toml"]));
    for shape in ["table", "json", "toml"] {
        let shown = done(place.run(&["config", "show", "--config", "heddle.toml", "-o", shape]));
        assert!(!shown.contains("s3cret") && shown.contains("postgres://u:***@h/d"), "{shown}");
    }
}

#[test]
fn every_value_says_where_it_comes_from_and_flags_win_over_variables_and_these_over_the_file() {
    let place = Place::new();
    place.file(
        "heddle.toml",
        "body_bytes_max = 2048\n[log]\nformat = \"text\"\nfilter = \"warn\"\n[peers]\nattempts = 3\n",
    );
    let arguments = [
        "config",
        "show",
        "--config",
        "heddle.toml",
        "--set",
        "log.filter=error",
        "--data-dir",
        "/d",
        "-o",
        "json",
    ];
    let mut command = place.command(&arguments);
    command
        .env("HEDDLE_LOG_FILTER", "debug")
        .env("HEDDLE_PEERS_ATTEMPTS", "5")
        .env("HEDDLE_ROLES", "agents, data-plane");
    command.env("HEDDLE_AUTH_ISSUERS", "[{ issuer = \"https://a.example\", clock_skew_seconds = 9 }]");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let shown = done(Outcome::of(command.spawn().expect("heddle runs")));
    let shown: Value = serde_json::from_str(&shown).expect("one object");
    let of = |key: &str| {
        let mut all = shown["settings"].as_array().expect("a list").iter();
        let entry = all.find(|entry| entry["key"] == key).unwrap_or_else(|| panic!("{key} is shown"));
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        (text("value"), text("origin"), text("name"), entry["line"].as_u64())
    };
    let expect = |value: &str, origin: &str, name: &str, line| {
        (value.to_owned(), origin.to_owned(), name.to_owned(), line)
    };
    assert_eq!(of("drain_seconds"), expect("20", "default", "", None));
    assert_eq!(of("body_bytes_max"), expect("2048", "file", "", Some(1)));
    assert_eq!(of("log.format"), expect("\"text\"", "file", "", Some(3)));
    assert_eq!(of("log.filter"), expect("\"error\"", "flag", "--set log.filter", None));
    assert_eq!(of("data_dir"), expect("\"/d\"", "flag", "--data-dir", None));
    assert_eq!(of("peers.attempts"), expect("5", "variable", "HEDDLE_PEERS_ATTEMPTS", None));
    assert_eq!(of("roles").0, "[\"agents\", \"data-plane\"]");
    assert_eq!(
        of("auth.issuers[0].clock_skew_seconds"),
        expect("9", "variable", "HEDDLE_AUTH_ISSUERS", None)
    );
}

#[test]
fn what_is_shown_as_a_file_means_the_same() {
    let place = Place::new();
    place.file("heddle.toml", "body_bytes_max = 2048\n[http.in_flight]\nmanagement = 3\n[[auth.issuers]]\nissuer = \"https://a.example\"\n");
    let shown = done(place.run(&["config", "show", "--config", "heddle.toml", "-o", "toml"]));
    place.file("again.toml", &shown);
    let again = done(place.run(&["config", "show", "--config", "again.toml", "-o", "json", "--set-only"]));
    let values = |text: &str| -> Vec<(String, String)> {
        let shown: Value = serde_json::from_str(text).expect("one object");
        let pair = |entry: &Value| (entry["key"].to_string(), entry["value"].to_string());
        shown["settings"].as_array().expect("a list").iter().map(pair).collect()
    };
    let whole = done(place.run(&["config", "show", "--config", "heddle.toml", "-o", "json"]));
    let (whole, again) = (values(&whole), values(&again));
    for said in &again {
        assert!(whole.contains(said), "{said:?} is not in {whole:?}");
    }
    assert!(
        again.iter().any(|(key, value)| key.contains("in_flight") && value.contains("management")),
        "{again:?}"
    );
}

#[test]
fn mistakes_in_variables_and_flags_are_told_with_their_names() {
    let place = Place::new();
    let check = ["config", "check"];
    let outcome = with_variable(&place, &check, ("HEDDLE_DRAIN_SECONDS", "soon"));
    assert!(
        outcome.stderr.contains("variable HEDDLE_DRAIN_SECONDS: 'drain_seconds' must be a whole number"),
        "{outcome:?}"
    );
    let outcome = place.run(&["config", "check", "--set", "peers.attempts=99"]);
    assert!(
        outcome.stderr.contains("flag --set peers.attempts: 'peers.attempts' must be from 1 to 15"),
        "{outcome:?}"
    );
    place.run(&["config", "check", "--set", "log.colour=red"]).says(&["'log.colour' is not a setting"]);
    let hint = done(with_variable(&place, &check, ("HEDDLE_LOG_FORMATT", "text")));
    assert!(hint.contains("did you mean HEDDLE_LOG_FORMAT?"), "{hint}");
    let served = with_variable(&place, &["start-dev", "--port", "0"], ("HEDDLE_LOG_FORMAT", "xml"));
    assert!(served.stderr.contains("'log.format' must be json or text"), "{served:?}");
}
