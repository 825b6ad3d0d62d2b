//! Requests for credentials, and the wait for them.

use std::time::Duration;

use heddle_agent::ActivityResult;
use serde_json::{Value, json};

use crate::double::{Double, Issuing, context};

const KIND: &str = "onboarding-activity";

fn spec(id: &str, issuer: &str) -> Value {
    json!({"id": id, "type": format!("{id}Credential"), "issuer": issuer, "format": "VC1_0_JWT"})
}

fn one() -> Value {
    json!({"cfm.vpa.credentials": [spec("m", "did:web:issuer")]})
}

#[tokio::test]
async fn the_outcome_comes_by_the_feed_that_was_open_before_the_request() {
    let double = Double::start().await;
    double.issue(Issuing::Later("ISSUED"));
    let mut context = context(one());
    assert_eq!(double.agent(KIND).deploy(&mut context).await, ActivityResult::Complete);
    let base = "/api/identity/v1beta/participants/ctx1";
    let pid = context.text("holderPid").expect("an output");
    let lines = [
        format!("GET {base}/events"),
        format!("POST {base}/credentials/request"),
        format!("GET {base}/credentials/request/{pid}"),
        format!("GET {base}/credentials/request/{pid}"),
    ];
    assert_eq!(double.lines(), lines, "it looks once, is told, and looks once more");
    let location = context.text("credentialRequest").expect("an output");
    assert_eq!(location, format!("v1beta/participants/ctx1/credentials/request/{pid}"));
}

#[tokio::test]
async fn a_request_that_is_rejected_or_fails_is_final() {
    for end in ["REJECTED", "ERROR"] {
        let double = Double::start().await;
        double.issue(Issuing::Later(end));
        let result = double.agent(KIND).deploy(&mut context(one())).await;
        assert!(
            matches!(&result, ActivityResult::Fatal(s) if s.contains("did:web:issuer")),
            "{end}: {result:?}"
        );
    }
}

#[tokio::test]
async fn what_takes_longer_is_looked_at_again_later_and_is_no_second_request() {
    let double = Double::start().await;
    double.issue(Issuing::Never);
    let agent = double.agent(KIND);
    let later = ActivityResult::Schedule(Duration::from_secs(2));
    for _ in 0..2 {
        assert_eq!(agent.deploy(&mut context(one())).await, later);
    }
    assert_eq!(double.things().len(), 1, "one request");
    double.issue(Issuing::AtOnce);
    let path = double.things().remove(0);
    double.put(&path, json!({"issuerDid": "did:web:issuer", "status": "ISSUED"}));
    assert_eq!(agent.deploy(&mut context(one())).await, ActivityResult::Complete);
}

#[tokio::test]
async fn each_issuer_gets_one_request_for_all_of_its_credentials() {
    let double = Double::start().await;
    double.issue(Issuing::Later("ISSUED"));
    let specs = [spec("a", "did:web:x"), spec("b", "did:web:y"), spec("c", "did:web:x")];
    let mut context = context(json!({"cfm.vpa.credentials": specs}));
    assert_eq!(double.agent(KIND).deploy(&mut context).await, ActivityResult::Complete);
    let requests = double.requests();
    let posts: Vec<_> = requests.iter().filter(|request| request.line.starts_with("POST")).collect();
    let asked: Vec<_> = posts.iter().map(|post| post.body["credentials"].as_array().map(Vec::len)).collect();
    assert_eq!(asked, [Some(2), Some(1)]);
    assert_eq!(
        posts[0].body["credentials"][0],
        json!({"format": "VC1_0_JWT", "type": "aCredential", "id": "a"})
    );
    let all = context.value("credentialRequests").and_then(Value::as_object).expect("an output");
    assert_eq!(all.keys().collect::<Vec<_>>(), ["did:web:x", "did:web:y"]);
    assert_eq!(all["did:web:x"], posts[0].body["holderPid"]);
    assert_ne!(posts[0].body["holderPid"], posts[1].body["holderPid"]);
}

#[tokio::test]
async fn nothing_to_ask_for_is_done_and_nonsense_is_refused() {
    let double = Double::start().await;
    let agent = double.agent(KIND);
    assert_eq!(agent.deploy(&mut context(json!({}))).await, ActivityResult::Complete);
    assert!(double.requests().is_empty());
    let result = agent.deploy(&mut context(json!({"cfm.vpa.credentials": [{"id": "m"}]}))).await;
    assert!(matches!(&result, ActivityResult::Fatal(s) if s.contains("cfm.vpa.credentials")), "{result:?}");
}
