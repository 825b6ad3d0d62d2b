//! The end of a participant on the plane.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::body::Body;
use heddle_store::{EventCursor, JobContext, JobHandler, Outcome, StoreError, Worker, WorkerLimits};
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    replicas::{later, told},
    support::{Address, Site, World, opening},
};

const ALICE: &str = "/api/dataplane/v1/participants/alice";

async fn administrator(world: &World) -> String {
    world.service("provisioning", &["data-plane-api:admin"]).await
}

/// Asks for a removal until nothing is left; the store tells when it is worth asking.
async fn removed(world: &World, path: &str, admin: &str) {
    let mut jobs = world.store.signals().jobs();
    let all = async {
        loop {
            jobs.mark_unchanged();
            let answer = world.call("DELETE", path, admin, &Value::Null).await;
            if answer.status == StatusCode::NOT_FOUND {
                return;
            }
            answer.expect(StatusCode::ACCEPTED);
            drop(tokio::time::timeout(Duration::from_millis(100), jobs.changed()).await);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("everything goes");
}

fn folders(world: &World) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(world.folder.path()).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// With secrets of every kind: an upload and an origin, a flow on either side.
async fn busy(world: &World) -> (Site<'_>, Address) {
    let authorization = json!({
        "type": "oauth2_client_credentials", "tokenEndpoint": "http://127.0.0.1:1/token",
        "clientId": "data-plane", "clientSecret": "s3cret",
    });
    let site = Site::new(world, "alice", &json!({"authorization": authorization})).await;
    site.upload("file", vec![7_u8; 1_000_000]).await.expect(StatusCode::OK);
    let origin = json!({"baseUrl": "https://a.example/x", "authorization": "Basic s3cret"});
    site.own("PUT", "sources/origin", &origin).await.expect(StatusCode::OK);
    let address = site.start("f", "file").await;
    site.signal("prepare", &opening("m1", "g", "theirs")).await.expect(StatusCode::OK);
    let data = json!({"@type": "DataAddress", "endpointType": "HttpData", "endpoint": "https://b.example"});
    site.signal("g/started", &json!({"messageId": "m2", "dataAddress": data})).await.expect(StatusCode::OK);
    (site, address)
}

#[tokio::test]
async fn nothing_of_a_removed_participant_is_left_and_others_keep_theirs() {
    let world = World::start().await;
    let bob = Site::new(&world, "bob", &json!({})).await;
    bob.upload("file", "bobs").await.expect(StatusCode::OK);
    let bobs = bob.start("b", "file").await;
    let before = folders(&world);
    let (alice, address) = busy(&world).await;
    let admin = administrator(&world).await;
    removed(&world, ALICE, &admin).await;

    world.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);
    world.replica().await.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);
    assert_eq!(folders(&world), before, "uploads are gone");
    let scope = world.participant("alice");
    assert_eq!(world.vault.delete_all(&scope).await.expect("counted"), 0, "secrets are gone");
    let events = world.store.events(&scope, EventCursor(0), 1000).await.expect("events");
    let ends = events.iter().filter(|event| event.kind == "data.flow.terminated").count();
    assert_eq!(ends, 2, "whoever watches is told of either flow");
    alice.upload("file", "late").await.expect(StatusCode::CONFLICT);
    alice.signal("f/terminate", &json!({"messageId": "m"})).await.expect(StatusCode::UNAUTHORIZED);
    assert_eq!(folders(&world), before, "a late upload leaves nothing");

    let plane = json!({"controlplaneId": "cp-alice", "endpoint": "http://127.0.0.1:1/cp"});
    alice.own("PUT", "controlplanes", &plane).await.expect(StatusCode::FORBIDDEN);
    world.call("PUT", &alice.path("controlplanes"), &admin, &plane).await.expect(StatusCode::OK);
    alice.own("PUT", "controlplanes", &plane).await.expect(StatusCode::OK);
    let flows = alice.own("GET", "flows", &Value::Null).await.expect(StatusCode::OK).json();
    assert_eq!(flows, json!([]));
    for dataset in ["file", "origin"] {
        alice.own("GET", &format!("sources/{dataset}"), &Value::Null).await.expect(StatusCode::NOT_FOUND);
    }
    world.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);
    assert_eq!(world.fetch(&bobs).await.expect(StatusCode::OK).body, "bobs");
}

#[tokio::test]
async fn a_participant_that_is_being_removed_is_refused_at_once() {
    let mut world = World::idle().await;
    let (path, token, stranger, admin);
    {
        let (alice, address) = busy(&world).await;
        admin = administrator(&world).await;
        let response = world.send("GET", &address.path, &address.token, Body::empty()).await;
        let mut body = response.into_body();
        body.frame().await.expect("a frame").expect("bytes");
        for _ in 0..2 {
            world.call("DELETE", ALICE, &admin, &Value::Null).await.expect(StatusCode::ACCEPTED);
        }
        assert!(body.frame().await.expect("an end").is_err(), "half is not taken for the whole");
        world.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);
        let plane = json!({"controlplaneId": "cp-alice", "endpoint": "http://127.0.0.1:1/cp"});
        for (method, rest, body) in [
            ("GET", "flows", Value::Null),
            ("GET", "flows/g/edr", Value::Null),
            ("GET", "sources/file", Value::Null),
            ("PUT", "sources/new", json!({"baseUrl": "https://a.example"})),
            ("DELETE", "sources/file", Value::Null),
            ("PUT", "controlplanes", plane),
        ] {
            let refused = alice.own(method, rest, &body).await.expect(StatusCode::CONFLICT);
            assert!(String::from_utf8_lossy(&refused.body).contains("being removed"), "{method} {rest}");
        }
        alice.upload("file", "late").await.expect(StatusCode::CONFLICT);
        for signal in ["start", "f/resume"] {
            let opening = opening("m9", "h", "file");
            alice.signal(signal, &opening).await.expect(StatusCode::CONFLICT);
        }
        stranger = world.service("cp-stranger", &["signaling:write"]).await;
        (path, token) = (alice.path("dataflows/start"), alice.control_plane.clone());
        let opening = opening("m9", "h", "file");
        world.call("POST", &path, &stranger, &opening).await.expect(StatusCode::UNAUTHORIZED);
    }
    world.work();
    removed(&world, ALICE, &admin).await;
    world.call("POST", &path, &token, &opening("m9", "h", "file")).await.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_removal_that_was_broken_off_goes_on() {
    let mut world = World::idle().await;
    let admin = administrator(&world).await;
    let (folder, aside) = {
        let (_alice, _address) = busy(&world).await;
        let folder = folders(&world).pop().expect("alice's");
        let aside = folder.with_extension("aside");
        (folder, aside)
    };
    // Uploads cannot be deleted: the job stops in the middle, with flows and sources gone.
    std::fs::rename(&folder, &aside).expect("moved");
    std::fs::write(&folder, "in the way").expect("written");
    world.call("DELETE", ALICE, &admin, &Value::Null).await.expect(StatusCode::ACCEPTED);
    world.work();
    let scope = world.participant("alice");
    let mut events = world.store.signals().events();
    let ended = async {
        while world.store.events(&scope, EventCursor(0), 1000).await.expect("events").len() < 5 {
            events.changed().await.expect("the store lives");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the flows end");
    world.call("DELETE", ALICE, &admin, &Value::Null).await.expect(StatusCode::ACCEPTED);
    std::fs::remove_file(&folder).expect("removed");
    std::fs::rename(&aside, &folder).expect("moved back");
    removed(&world, ALICE, &admin).await;
    assert!(!folder.exists());
    assert_eq!(world.vault.delete_all(&scope).await.expect("counted"), 0);
}

/// Sets every job aside, as one that has failed too often, and tells so.
struct Burier(mpsc::UnboundedSender<()>);

#[async_trait]
impl JobHandler for Burier {
    async fn run(&self, _: &JobContext) -> Result<Outcome, StoreError> {
        self.0.send(()).expect("the test waits");
        Ok(Outcome::Bury { error: "it failed too often".to_owned() })
    }
}

#[tokio::test]
async fn a_removal_whose_job_was_set_aside_goes_on_when_it_is_asked_for_again() {
    let mut world = World::idle().await;
    let admin = administrator(&world).await;
    busy(&world).await;
    world.call("DELETE", ALICE, &admin, &Value::Null).await.expect(StatusCode::ACCEPTED);
    let (sender, mut buried) = mpsc::unbounded_channel();
    let worker = Worker::new(world.store.clone(), world.scopes.clone(), WorkerLimits::default());
    let worker = worker.handle("data-plane.sweep", Arc::new(Burier(sender))).start();
    buried.recv().await.expect("the job runs");
    worker.drain(Duration::from_secs(20)).await;
    world.work();
    removed(&world, ALICE, &admin).await;
}

#[tokio::test]
async fn other_replicas_serve_nothing_of_a_participant_whose_removal_has_begun() {
    let world = World::idle().await;
    let (_alice, address) = busy(&world).await;
    let replica = world.replica().await;
    replica.fetch(&address).await.expect(StatusCode::OK);
    let admin = administrator(&world).await;
    world.call("DELETE", ALICE, &admin, &Value::Null).await.expect(StatusCode::ACCEPTED);
    let told = told(&world, "alice", "data.flow.terminated");
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("the flows end before the job");
    later().await;
    replica.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);
}

/// More than there are connections that read: nobody waits for a second one while holding a first.
#[tokio::test]
async fn many_participants_are_removed_at_once() {
    let mut world = World::idle().await;
    let admin = administrator(&world).await;
    let names: Vec<String> = (0..40).map(|n| format!("site-{n}")).collect();
    for name in &names {
        let own = world.application(name, &["data-plane-api:write"]).await;
        let path = format!("/api/dataplane/v1/participants/{name}");
        let plane = json!({"controlplaneId": "cp", "endpoint": "http://127.0.0.1:1/cp"});
        world.call("PUT", &format!("{path}/controlplanes"), &own, &plane).await.expect(StatusCode::OK);
        let origin = json!({"baseUrl": "https://a.example/x", "authorization": "Basic s3cret"});
        for dataset in ["a", "b", "c"] {
            let source = format!("{path}/sources/{dataset}");
            world.call("PUT", &source, &own, &origin).await.expect(StatusCode::OK);
        }
        world.call("DELETE", &path, &admin, &Value::Null).await.expect(StatusCode::ACCEPTED);
    }
    world.work();
    for name in &names {
        removed(&world, &format!("/api/dataplane/v1/participants/{name}"), &admin).await;
    }
}

#[tokio::test]
async fn a_removal_and_registrations_at_the_same_moment_leave_all_or_nothing() {
    let mut world = World::idle().await;
    let alice = Site::new(&world, "alice", &json!({})).await;
    let admin = administrator(&world).await;
    let registered = (0..16).map(|n| {
        let plane = json!({"controlplaneId": format!("cp-{n}"), "endpoint": "http://127.0.0.1:1/cp"});
        let alice = &alice;
        async move { alice.own("PUT", "controlplanes", &plane).await.status }
    });
    let removal = world.call("DELETE", ALICE, &admin, &Value::Null);
    let (registered, removal) = futures::join!(futures::future::join_all(registered), removal);
    assert_eq!(removal.status, StatusCode::ACCEPTED);
    for status in registered {
        assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&status), "{status}");
    }
    let path = alice.path("sources/late");
    let application = alice.application.clone();
    world.work();
    removed(&world, ALICE, &admin).await;
    let origin = json!({"baseUrl": "https://a.example"});
    let late = world.call("PUT", &path, &application, &origin).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "no control plane is left");
}

#[tokio::test]
async fn nobody_but_an_administrator_of_participants_removes_one() {
    let world = World::start().await;
    let alice = Site::new(&world, "alice", &json!({})).await;
    let stranger = world.application("bob", &["data-plane-api:write"]).await;
    for (token, status) in [
        ("", StatusCode::UNAUTHORIZED),
        (alice.application.as_str(), StatusCode::FORBIDDEN),
        (&stranger, StatusCode::FORBIDDEN),
        (&alice.control_plane, StatusCode::FORBIDDEN),
    ] {
        world.call("DELETE", ALICE, token, &Value::Null).await.expect(status);
    }
    alice.upload("file", "abc").await.expect(StatusCode::OK);
    let admin = administrator(&world).await;
    let nobody = "/api/dataplane/v1/participants/nobody";
    world.call("DELETE", nobody, &admin, &Value::Null).await.expect(StatusCode::NOT_FOUND);
    // Nor does one that had nothing here come back by itself.
    let own = world.application("nobody", &["data-plane-api:write"]).await;
    let plane = json!({"controlplaneId": "cp", "endpoint": "http://127.0.0.1:1/cp"});
    let planes = format!("{nobody}/controlplanes");
    world.call("PUT", &planes, &own, &plane).await.expect(StatusCode::FORBIDDEN);
}
