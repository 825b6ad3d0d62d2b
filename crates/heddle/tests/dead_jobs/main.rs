//! A job is made to die on a real server, is seen, replayed and done: over the API, by the command line, on both
//! databases.

mod world;

use std::time::Duration;

use heddle_store_postgres::testing::TestPostgres;
use http::Method;
use serde_json::json;
use world::World;

const OPERATORS: &str = "/api/operations/v1alpha1/dead-jobs";
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_dies_is_seen_replayed_and_done_on_sqlite() {
    story("").await.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_dies_is_seen_replayed_and_done_on_postgresql() {
    let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
    let world = story(&format!("[database]\nkind = \"postgres\"\nurl = \"{url}\"\n")).await;
    let audit = "SELECT string_agg(DISTINCT owner || ' ' || actor || ' ' || action, ',')
        FROM heddle.audit WHERE action LIKE 'job.%'";
    let told = tokio::task::spawn_blocking(move || TestPostgres::shared().administer(&url, audit)).await;
    let expected = "p:alice operator job.replay,p:bob operator job.discard,p:bob operator job.replay";
    assert_eq!(told.expect("it answers"), expected);
    world.stop().await;
}

async fn story(settings: &str) -> World {
    let mut world = World::start(settings).await;
    world.enqueue("alice", "test.work", "thing/1").await;
    world.enqueue("bob", "test.work", "thing/2").await;
    world.enqueue("bob", "test.other", "thing/3").await;
    let jobs = world.dead(3).await;

    // Seen: what it was, why it failed, and by which trace; never what it carries.
    let alice = jobs.iter().find(|job| job["owner"] == "p:alice").expect("hers");
    let id = alice["id"].as_str().expect("an id");
    assert_eq!(alice["orderKey"], "thing/1");
    assert_eq!(alice["host"], "peer.example");
    assert_eq!(alice["error"], "the thing is broken");
    assert!(alice["diedAt"].is_u64() && alice["createdAt"].is_u64(), "{alice}");
    assert_eq!(alice["traceId"], world.trace_id());
    let listed = world.cli(&["list", "--kind", "test.work", "--host", "peer.example"]);
    assert_eq!(listed.lines().count(), 3, "a heading and two jobs: {listed}");
    let shown = world.cli(&["show", id]);
    assert!(shown.contains("the thing is broken") && shown.contains(&world.trace_id()), "{shown}");
    let unknown = world.cli_fails(&["show", "nothing"]);
    assert!(unknown.contains("no job 'nothing' is set aside"), "{unknown}");
    for text in [&listed, &shown, &json!(jobs).to_string()] {
        assert!(!text.contains(world::SECRET), "{text}");
    }
    let metrics = world.text("/metrics").await;
    assert!(metrics.contains("heddle_jobs_buried_total{kind=\"test.work\"}"), "{metrics}");

    refuses_others(&world, id).await;

    // Replayed, once: the repetition of a request finds nothing to do.
    world.mend();
    assert_eq!(world.cli(&["replay", id]), "1 job was replayed\n");
    assert_eq!(world.done().await, "p:alice thing/1");
    assert_eq!(world.cli(&["replay", id, "-o", "json"]), "{\"replayed\":0}\n");
    assert_eq!(world.cli(&["replay", "--kind", "test.work"]), "1 job was replayed\n");
    assert_eq!(world.done().await, "p:bob thing/2");
    assert_eq!(world.cli(&["discard", "--all"]), "1 job was discarded\n");
    assert_eq!(world.cli(&["list"]), "no jobs are set aside\n");
    world
}

/// Nobody, somebody else, and a participant who asks for more than its own.
async fn refuses_others(world: &World, id: &str) {
    let (alice, bob) = (world.participant("alice").await, world.participant("bob").await);
    let own = |name: &str| format!("/api/operations/v1alpha1/participants/{name}/dead-jobs");
    assert_eq!(world.count(&alice, &own("alice")).await, Ok(1));
    assert_eq!(world.count(&bob, &own("bob")).await, Ok(2));
    for path in [own("bob"), OPERATORS.to_owned()] {
        assert_eq!(world.count(&alice, &path).await, Err(403), "{path}");
    }
    let elsewhere = format!("{}/{id}", own("bob"));
    assert_eq!(world::status(&bob, Method::GET, &elsewhere).await, 404, "it is not bob's");
    assert_eq!(world::status(&bob, Method::DELETE, &elsewhere).await, 204, "and is left alone");
    for (method, path) in [
        (Method::GET, OPERATORS.to_owned()),
        (Method::GET, format!("{OPERATORS}/{id}")),
        (Method::POST, format!("{OPERATORS}/{id}/replay")),
        (Method::DELETE, format!("{OPERATORS}/{id}")),
        (Method::POST, format!("{OPERATORS}/replay")),
        (Method::POST, format!("{OPERATORS}/discard")),
        (Method::GET, own("alice")),
    ] {
        assert_eq!(world.stranger(method.clone(), &path).await, 401, "{method} {path}");
        assert_ne!(world::status(&alice, method, &path).await, 401);
    }
    // Nothing was said about which: nothing happens.
    let operator = world.operator();
    let vague = operator.query(&format!("{OPERATORS}/discard"), &json!({})).await.expect_err("refused");
    assert_eq!(vague.status(), Some(400));
    let typo = operator.query(&format!("{OPERATORS}/discard"), &json!({ "kinds": "x", "all": true })).await;
    assert_eq!(typo.expect_err("refused").status(), Some(400));
    assert_eq!(world.count(&operator, OPERATORS).await, Ok(3));
}
