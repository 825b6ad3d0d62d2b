//! The end of an issuer.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_auth::NewClient;
use heddle_store::{DirectoryRow, JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::Actor;
use http::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use crate::{
    fixtures::{issuing, member, read},
    support::{ADMIN, DCP, World, soon},
};

const KINDS: [&str; 5] =
    ["holders", "attestations", "credentialdefinitions", "credentials", "issuanceprocesses"];

async fn removed(world: &World, admin: &str) {
    let mut jobs = world.store.signals().jobs();
    let all = async {
        loop {
            jobs.mark_unchanged();
            let answer = world.call(Method::DELETE, ADMIN).bearer(admin).send().await;
            if answer.status == 404 {
                return;
            }
            assert_eq!(answer.status, 202, "{}", answer.text);
            drop(tokio::time::timeout(Duration::from_millis(100), jobs.changed()).await);
        }
    };
    soon("the end of the issuer", all).await;
}

#[tokio::test]
async fn a_removed_issuer_leaves_nothing_to_who_comes_after_it() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 201);
    let credential = read(&world, &holder.delivery().await.payloads()[0]).credential().clone();
    let list = credential.status.first().expect("an entry").list_url.clone();
    world.event("issuance.delivered").await;
    let counted = async |kind: &str| {
        let answer =
            world.post(&format!("{ADMIN}/{kind}/query")).bearer(&token).json(&json!({})).send().await;
        answer.json().as_array().unwrap_or_else(|| panic!("{}", answer.text)).len()
    };
    for kind in KINDS {
        assert_eq!(counted(kind).await, 1, "{kind}");
    }
    let record = crate::fixtures::record_path(&holder.did);

    let refused = world.call(Method::DELETE, ADMIN).bearer(&token).send().await;
    assert_eq!(refused.status, 403, "no issuer removes itself");
    let admin = administrator(&world).await;
    removed(&world, &admin).await;

    for kind in KINDS {
        assert_eq!(counted(kind).await, 0, "{kind}");
    }
    let offered = world.get(&format!("{DCP}/metadata")).send().await.json();
    assert_eq!(offered["credentialsSupported"], json!([]));
    for path in [record.as_str(), &list] {
        let answer = world.get(path).bearer(&token).header("accept", "*/*").send().await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    assert_eq!(
        holder.ask(&world, "pid-2", &["membership-def"]).await.status,
        401,
        "it is no holder any more"
    );
    let _: Value = json!(issuing(&world).await);
    assert_eq!(counted("holders").await, 0);
}

/// Begins a request and waits until the service wants its body.
async fn begun(world: &World, token: &str, (path, body): (&str, &str)) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.expect("it listens");
    let head = format!(
        "POST {ADMIN}/{path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {token}\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        world.port,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("taken");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(soon("leave to go on", stream.read_u8()).await.expect("an answer"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&answer));
    stream
}

async fn administrator(world: &World) -> String {
    let operator = world.scopes.operator(Actor::new("test"));
    world.token(&operator, NewClient::service(vec!["issuer-admin-api:admin".to_owned()])).await
}

#[tokio::test]
async fn what_was_admitted_before_the_removal_stores_nothing_behind_it() {
    let world = World::start().await;
    let token = issuing(&world).await;
    world.drain().await;
    let admin = administrator(&world).await;
    let free = json!({"id": "free", "credentialType": "Free", "attestations": [], "format": "VC1_0_JWT",
        "validity": 60, "mappings": [], "rules": []});
    let bodies = [
        ("holders", json!({"holderId": "h", "did": "did:web:h.example"}).to_string()),
        ("attestations", json!({"id": "late", "attestationType": "record"}).to_string()),
        ("credentialdefinitions", free.to_string()),
    ];
    let mut requests = Vec::new();
    for (path, body) in &bodies {
        requests.push(begun(&world, &token, (path, body)).await);
    }
    assert_eq!(world.call(Method::DELETE, ADMIN).bearer(&admin).send().await.status, 202);
    for (mut request, (path, body)) in requests.into_iter().zip(&bodies) {
        request.write_all(body.as_bytes()).await.expect("taken");
        let mut answer = String::new();
        soon("an answer", request.read_to_string(&mut answer)).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 409 "), "{path}: {answer}");
    }
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
async fn a_removal_whose_job_was_set_aside_goes_on_and_nothing_is_delivered_meanwhile() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    world.drain().await;
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 201);
    let admin = administrator(&world).await;
    assert_eq!(world.call(Method::DELETE, ADMIN).bearer(&admin).send().await.status, 202);
    // As by a change of a definition that was committed at the same moment.
    let scope = world.participant("issuer");
    let mut transaction = world.store.begin(&scope);
    transaction.publish(DirectoryRow::new("issuer-metadata", "issuer", &json!({})));
    transaction.commit().await.expect("published");

    let (sender, mut buried) = mpsc::unbounded_channel();
    world.work(vec![("issuer.sweep", Arc::new(Burier(sender)))]).await;
    soon("the job", buried.recv()).await.expect("it runs");
    world.drain().await;
    assert!(holder.has_nothing_more().await);
    world.work(Vec::new()).await;
    removed(&world, &admin).await;
    assert!(world.store.lookup("issuer-metadata", "issuer").await.expect("read").is_none());
}
