//! `heddle doctor`: each thing that may be wrong, made wrong for real.

use std::{fs, net::TcpListener, path::Path};

use heddle_store_postgres::testing::TestPostgres;
use serde_json::Value;

use crate::{
    place::{Place, contents, free_port, set_mode, text},
    server::Server,
};

/// What the doctor says, by the names of the findings, and whether all works.
struct Report {
    all: Vec<(String, String, String)>,
    code: Option<i32>,
}

impl Report {
    fn of(place: &Place, arguments: &[&str]) -> Self {
        let arguments = [&["doctor"], arguments, &["-o", "json"]].concat();
        let outcome = place.run(&arguments);
        outcome.looks_like_words();
        assert!(!format!("{outcome:?}").contains("s3cret"), "no password is told: {outcome:?}");
        let report: Value =
            serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        let all: Vec<_> = report["findings"].as_array().expect("a list").iter().collect();
        for finding in &all {
            let told = !text(finding, "tried").is_empty() && !text(finding, "happened").is_empty();
            assert!(told && (finding["verdict"] == "ok") == finding["advice"].is_null(), "{finding}");
        }
        let all = all.iter().map(|f| (text(f, "name"), text(f, "verdict"), text(f, "happened")));
        let report = Self { all: all.collect(), code: outcome.code };
        let failed = report.all.iter().any(|(_, verdict, _)| verdict == "failure");
        assert_eq!(report.code, Some(i32::from(failed)), "{:?}", report.all);
        report
    }

    fn is(&self, name: &str, verdict: &str, part: &str) -> &Self {
        let found = self.all.iter().any(|(n, v, h)| n == name && v == verdict && h.contains(part));
        assert!(found, "{name} is not {verdict} ({part}): {:#?}", self.all);
        self
    }

    fn has_no_failure(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{:#?}", self.all);
        self
    }
}

fn configuration(listen: &str, more: &str) -> String {
    format!("listen = \"127.0.0.1:{listen}\"\ndata_dir = \"data\"\n{more}")
}

fn postgres(place: &Place, url: &str) -> Report {
    let more = format!("development = true\n[database]\nkind = \"postgres\"\nurl = \"{url}\"\n");
    place.private_file("heddle.toml", configuration(&free_port(), &more));
    Report::of(place, &["--config", "heddle.toml"])
}

#[test]
fn a_directory_that_is_not_there_yet_is_well_and_stays_away() {
    let place = Place::new();
    place.private_file("heddle.toml", configuration(&free_port(), ""));
    let report = Report::of(&place, &["--config", "heddle.toml"]);
    report.has_no_failure().is("data_directory", "ok", "the first start makes it");
    report.is("database.file", "ok", "none yet").is("listener", "ok", "free");
    assert!(!place.data().exists(), "nothing is made");
}

#[test]
fn an_installation_is_looked_at_while_it_runs_and_after_and_nothing_changes() {
    let place = Place::new();
    let port = free_port();
    place.private_file("heddle.toml", configuration(&port, ""));
    let server = Server::spawn(&place, &["start-dev", "--config", "heddle.toml"]);
    let report = Report::of(&place, &["--config", "heddle.toml", "--set", "development=true"]);
    report.has_no_failure().is("database.file", "ok", "a running server uses it");
    report.is("master_key", "ok", "it opens").is("listener", "ok", "has it");
    report.is("public_url", "ok", &format!("the installation http://127.0.0.1:{port}"));
    report.is("public_url.clock", "ok", "within").is("database.schema", "ok", "schema");
    let url = format!("http://127.0.0.1:{port}");
    Report::of(&place, &["--server", &url]).has_no_failure().is("readiness", "ok", "it is");
    server.stop();
    let before = contents(&place.data());
    let report = Report::of(
        &place,
        &["--data-dir", text(&place.data()), "--set", &format!("listen=127.0.0.1:{port}")],
    );
    report.is("master_key", "ok", "it opens").is("database.file", "ok", "nobody uses it");
    report.is("public_url", "failure", "no server answers");
    assert_eq!(contents(&place.data()), before, "the doctor changes nothing");

    let key = place.data().join("master.key");
    fs::write(&key, [9; 32]).expect("written");
    set_mode(&key, 0o600);
    Report::of(&place, &["--config", "heddle.toml"]).is("master_key", "failure", "");
    fs::remove_file(&key).expect("removed");
    Report::of(&place, &["--config", "heddle.toml"]).is("master_key", "failure", "is missing");
    assert!(!key.exists(), "no key is made");
    set_mode(&place.data().join("operator.json"), 0o644);
    Report::of(&place, &["--config", "heddle.toml"]).is(
        "secret_files",
        "failure",
        "operator.json (mode 0644)",
    );
    fs::write(place.data().join("heddle.db"), "no database at all, but long enough to be looked at as one")
        .expect("written");
    Report::of(&place, &["--config", "heddle.toml"]).is("database.file", "failure", "");
}

#[test]
fn a_directory_that_this_user_cannot_write_is_told() {
    let place = Place::of_an_unprivileged_user();
    let data = place.directory("data");
    set_mode(&data, 0o500);
    Report::of(&place, &["--data-dir", text(&data)]).is("data_directory", "failure", "Permission denied");
    let file = place.file("file", "x");
    Report::of(&place, &["--data-dir", text(&file)]).is("data_directory", "failure", "is not a directory");
}

#[test]
fn a_port_that_somebody_else_has_is_told() {
    let place = Place::new();
    let holder = TcpListener::bind("127.0.0.1:0").expect("free");
    let port = holder.local_addr().expect("bound").port().to_string();
    // Whoever asks is turned away, as by a program that is not ours.
    std::thread::spawn(move || holder.incoming().for_each(drop));
    place.private_file("heddle.toml", configuration(&port, ""));
    Report::of(&place, &["--config", "heddle.toml"]).is(
        "listener",
        "failure",
        "nobody there says that it is Heddle",
    );
}

#[test]
fn a_database_that_is_away_is_told() {
    let place = Place::new();
    let report = postgres(&place, &format!("postgres://heddle:s3cret@127.0.0.1:{}/heddle", free_port()));
    report.is("database.connection", "failure", "Connection refused");
}

#[test]
fn an_empty_database_a_used_one_and_one_of_a_newer_release_are_told_apart() {
    let server = TestPostgres::shared();
    let url = server.url();
    let place = Place::new();
    let report = postgres(&place, &url);
    report.has_no_failure().is("database.schema", "ok", "the first start makes it");
    report.is("database.durability", "warning", "fsync is off").is("database.clock", "ok", "");
    report.is("database.version", "ok", "PostgreSQL").is("database.pooler", "ok", "session mode");
    let tables = "SELECT count(*) FROM pg_namespace WHERE nspname = 'heddle'";
    assert_eq!(server.administer(&url, tables), "0", "nothing is made");
    Server::spawn(&place, &["start-dev", "--config", "heddle.toml"]).stop();
    let report = postgres(&place, &url);
    report.is("database.roles", "ok", "row-level security is in force").is("master_key", "ok", "it opens");
    postgres(&place, &TestPostgres::as_superuser(&url)).is(
        "database.login",
        "failure",
        "'admin' is a superuser",
    );
    drop(server.administer(&url, "ALTER TABLE heddle.aggregate DISABLE ROW LEVEL SECURITY"));
    postgres(&place, &url).is("database.roles", "failure", "aggregate");
    drop(server.administer(&url, "ALTER TABLE heddle.aggregate ENABLE ROW LEVEL SECURITY"));
    drop(server.administer(&url, "INSERT INTO heddle.migration VALUES (9000, 'of the future', 9000, 0)"));
    postgres(&place, &url).is("database.schema", "failure", "schema 9000");
}

#[test]
fn a_wrong_password_is_told() {
    let server = TestPostgres::start();
    let url = server.url();
    drop(server.administer(&url, "ALTER ROLE heddle PASSWORD 'right'"));
    let rules = server.administer(&url, "SHOW hba_file");
    fs::write(rules, "local all admin trust\nhost all heddle 127.0.0.1/32 scram-sha-256\n").expect("written");
    server.restart();
    let place = Place::new();
    let wrong = postgres(&place, &url.replace("heddle@", "heddle:s3cret@"));
    wrong.is("database.connection", "failure", "password authentication failed");
    postgres(&place, &url.replace("heddle@", "heddle:right@")).has_no_failure();
}

fn certificate(folder: &Path, day: u8, year: i32) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(year, 1, day);
    let certificate = parameters.self_signed(&key).expect("signs");
    fs::write(folder.join("tls.crt"), certificate.pem()).expect("written");
    fs::write(folder.join("tls.key"), key.serialize_pem()).expect("written");
    set_mode(&folder.join("tls.key"), 0o600);
}

#[test]
fn a_certificate_that_has_expired_is_told_of_the_listener_and_of_the_public_url() {
    let place = Place::new();
    let port = free_port();
    let folder = place.directory("tls");
    certificate(&folder, 2, 2021);
    let more = format!(
        "public_url = \"https://localhost:{port}\"\nallow_private_addresses = true\n[http]\ncertificate_file = \"tls/tls.crt\"\n\
         key_file = \"tls/tls.key\"\n"
    );
    place.private_file("heddle.toml", configuration(&port, &more));
    let report = Report::of(&place, &["--config", "heddle.toml"]);
    report.is("listener.certificate", "failure", "it has expired, at 2021-01-02");
    let server = Server::spawn(&place, &["serve", "--config", "heddle.toml"]);
    let report = Report::of(&place, &["--config", "heddle.toml"]);
    report.is("public_url.certificate", "failure", "it has expired, at 2021-01-02").is(
        "dns",
        "ok",
        "127.0.0.1",
    );
    report.is("public_url", "failure", "");
    certificate(&folder, 2, 2090);
    Report::of(&place, &["--config", "heddle.toml"]).is(
        "listener.certificate",
        "ok",
        "it expires at 2090-01-02",
    );
    server.stop();
}

#[test]
fn identity_providers_and_collectors_that_are_away_and_names_without_addresses_are_told() {
    let place = Place::new();
    let away = free_port();
    let more = format!(
        "allow_private_addresses = true\n[[auth.issuers]]\nissuer = \"http://127.0.0.1:{away}/realms/a\"\n\
         [[auth.issuers]]\nissuer = \"https://nobody.invalid\"\n[telemetry]\nendpoint = \"http://127.0.0.1:{away}\"\n"
    );
    place.private_file("heddle.toml", configuration(&free_port(), &more));
    let report = Report::of(&place, &["--config", "heddle.toml"]);
    report.is("issuer", "failure", "Connection refused").is("telemetry", "failure", "Connection refused");
    report.is("dns", "failure", "");
}
