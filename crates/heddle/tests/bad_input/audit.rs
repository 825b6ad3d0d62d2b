//! `heddle audit` and the API of the audit log, on both databases.

use std::fs;

use heddle_store_postgres::testing::TestPostgres;
use heddle_store_sqlite::testing::administer;
use serde_json::Value;

use crate::{api::Api, outcome::Outcome, place::Place, server::Server};

/// A place with a configuration of a server, and a way to change its database by hand.
struct Installation {
    place: Place,
    postgres: Option<String>,
}

impl Installation {
    fn with_sqlite() -> Self {
        let place = Place::new();
        place.file("heddle.toml", "data_dir = \"data\"\n");
        Self { place, postgres: None }
    }

    fn with_postgres() -> Self {
        let (place, url) = (Place::new(), TestPostgres::shared().url());
        let database = format!("[database]\nkind = \"postgres\"\nurl = \"{url}\"\n");
        place.file("heddle.toml", format!("data_dir = \"data\"\n{database}"));
        Self { place, postgres: Some(url) }
    }

    fn start(&self) -> Server {
        Server::spawn(&self.place, &["start-dev", "--port", "0", "--config", "heddle.toml"])
    }

    fn audit(&self, arguments: &[&str]) -> Outcome {
        self.place.run(&[&["audit"], arguments, &["--config", "heddle.toml"]].concat())
    }

    fn verified(&self, arguments: &[&str]) -> Value {
        let outcome = self.audit(&[&["verify", "-o", "json"], arguments].concat());
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        serde_json::from_str(&outcome.stdout).expect("JSON")
    }

    /// SQL in which `{}` stands before the names of tables.
    fn tamper(&self, sql: &str) {
        match &self.postgres {
            None => administer(&self.place.data().join("heddle.db"), &sql.replace("{}", "")),
            Some(url) => drop(TestPostgres::shared().administer(url, &sql.replace("{}", "heddle."))),
        }
    }
}

/// The first start makes clients, which is in the log. It is read beside the server and after it, through the command
/// and the API; then it is damaged, and the command says how.
async fn the_log_is_read_and_its_damage_is_told(installation: &Installation) {
    let server = installation.start();
    let api = Api::of(&server, &installation.place.data()).await;
    // An unsealed entry waits for a second at most: the head moves as soon as it is sealed.
    let sealed = async {
        while api.get("/api/audit/v1beta/head").await.expect("it is shown")["unsealed"] != 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), sealed).await.expect("it is sealed");
    assert_eq!(installation.verified(&[])["intact"], true, "beside the server");
    let first = api.get("/api/audit/v1beta/entries?limit=1").await.expect("a page");
    let rest = api.get("/api/audit/v1beta/entries?after=1").await.expect("a page");
    assert_eq!((&first["entries"][0]["place"], &first["next"]), (&1.into(), &1.into()));
    assert_eq!((&rest["entries"][0]["place"], &rest["next"]), (&2.into(), &Value::Null));
    assert_eq!(first["entries"][0]["action"], "client.create");
    for path in ["entries", "head", "participants/alice/entries"] {
        let stranger = api.ask(&format!("/api/audit/v1beta/{path}")).await.expect_err("a stranger");
        assert_eq!(stranger.status().map(|status| status.as_u16()), Some(401), "{path}");
    }
    let wrong = api.get("/api/audit/v1beta/entries?limit=0").await.expect_err("nothing is asked for");
    assert!(wrong.to_string().contains("from 1 to 1000"), "{wrong}");
    let own =
        api.get("/api/audit/v1beta/participants/alice/entries").await.expect("an administrator reads them");
    assert_eq!(own["entries"], Value::Array(Vec::new()));
    server.stop();

    let verified = installation.verified(&[]);
    let (entries, head) = (verified["entries"].as_u64().expect("a number"), verified["head"].as_str());
    let head = head.expect("a checkpoint").to_owned();
    assert!(entries >= 3 && verified["unsealed"] == 0 && verified["checkpoints"] == 1, "{verified}");
    assert_eq!(installation.verified(&["--checkpoint", &head])["checkpoints"], 2);
    let list = installation.audit(&["list", "--limit", "2"]);
    assert_eq!((list.code, list.stdout.lines().count()), (Some(0), 2), "{list:?}");
    assert!(list.stdout.starts_with("1 ") && list.stdout.contains("client.create"), "{list:?}");
    let list = installation.audit(&["list", "-o", "json", "--after", "1"]);
    let second: Value = serde_json::from_str(list.stdout.lines().next().expect("a line")).expect("JSON");
    assert_eq!(second["place"], 2);

    // The end is cut off, and the database's own memory of it; what the server has written down tells.
    installation.tamper(
        "UPDATE {}audit_head SET place = 1, hash = (SELECT hash FROM {}audit WHERE place = 1);
         DELETE FROM {}audit WHERE place > 1",
    );
    installation.audit(&["verify"]).says(&[
        "audit log is broken",
        &format!("entry {entries}"),
        "was removed",
    ]);
    // The server says so as well, and keeps the checkpoint as it was.
    let checkpoint = installation.place.data().join("audit.checkpoint");
    let server = installation.start();
    server.stop();
    let log = fs::read_to_string(installation.place.path("server.log")).expect("a log");
    assert!(log.contains("audit.broken") && log.contains("the end of the log was removed"), "{log}");
    assert_eq!(fs::read_to_string(&checkpoint).expect("reads").trim(), head);

    installation.tamper("UPDATE {}audit SET subject = 'somebody else' WHERE place = 1");
    installation.audit(&["verify"]).says(&["audit log is broken", "entry 1 is not the one that was sealed"]);
    fs::write(&checkpoint, "nonsense").expect("written");
    installation.audit(&["verify"]).says(&["data/audit.checkpoint", "is no checkpoint"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_in_sqlite_is_read_and_its_damage_is_told() {
    the_log_is_read_and_its_damage_is_told(&Installation::with_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_in_postgresql_is_read_and_its_damage_is_told() {
    the_log_is_read_and_its_damage_is_told(&Installation::with_postgres()).await;
}

#[test]
fn a_place_without_an_audit_log_is_named() {
    let installation = Installation::with_sqlite();
    installation.audit(&["verify"]).says(&["heddle.db", "no such file"]);
    let installation = Installation::with_postgres();
    installation.audit(&["verify"]).says(&["no sealed audit log", "start this release"]);
    let place = Place::new();
    let outcome = place.run(&["audit", "verify", "--checkpoint", "12"]);
    assert!(outcome.code == Some(2) && outcome.stderr.contains("a place, a colon and 64"), "{outcome:?}");
}
