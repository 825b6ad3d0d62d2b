//! What holds for every shipped agent.

use std::time::Duration;

use heddle_agent::ActivityResult;
use serde_json::{Value, json};

use crate::double::{Double, context, run};

/// Type of agent, and the request by which its work begins.
const AGENTS: [(&str, &str); 5] = [
    ("edcv-activity", "POST /api/mgmt/v5beta/participants"),
    ("identityhub-activity", "POST /api/identity/v1beta/participants"),
    ("registration-activity", "POST /api/admin/v1beta/participants/the-issuer/holders"),
    ("onboarding-activity", "POST /api/identity/v1beta/participants/ctx1/credentials/request"),
    ("dataplane-activity", "PUT /api/dataplane/v1/participants/ctx1/controlplanes"),
];

fn values() -> Value {
    let membership =
        json!({"id": "m", "type": "MembershipCredential", "issuer": "did:web:issuer", "format": "VC1_0_JWT"});
    json!({"holderRegisteredAt": ["the-issuer"], "cfm.vpa.credentials": [membership]})
}

#[tokio::test]
async fn a_second_run_is_as_good_and_asks_for_the_same() {
    for (kind, first) in AGENTS {
        let double = Double::start().await;
        let agent = double.agent(kind);
        assert_eq!(agent.deploy(&mut context(values())).await, ActivityResult::Complete, "{kind}");
        let (once, things) = (double.requests(), double.things());
        assert_eq!(agent.deploy(&mut context(values())).await, ActivityResult::Complete, "{kind}, again");
        assert_eq!(double.things(), things, "{kind}: nothing else came to be");
        let beginning = |requests: &[crate::double::Recorded]| {
            requests.iter().find(|request| request.line == first).cloned().expect("it was sent")
        };
        let again = double.requests();
        assert_eq!(beginning(&once), beginning(&again), "{kind}: body and key are the same");
        assert_eq!(beginning(&once).key.is_some(), first.starts_with("POST"), "{kind}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for (kind, first) in AGENTS {
        let double = Double::start().await;
        let agent = double.agent(kind);
        for status in [500, 503, 429, 401] {
            double.then(first, status);
            let result = agent.deploy(&mut context(values())).await;
            assert!(matches!(result, ActivityResult::Retry { .. }), "{kind}, {status}: {result:?}");
        }
        assert_eq!(agent.deploy(&mut context(values())).await, ActivityResult::Complete, "{kind}");
    }
}

#[tokio::test]
async fn what_will_not_pass_is_final_with_the_services_sentence() {
    for (kind, first) in AGENTS {
        let double = Double::start().await;
        let agent = double.agent(kind);
        for status in [400, 403, 422] {
            double.then(first, status);
            let result = agent.deploy(&mut context(values())).await;
            let ActivityResult::Fatal(sentence) = result else { panic!("{kind}, {status}: {result:?}") };
            assert!(sentence.contains(&format!("told to answer {status}")), "{kind}: {sentence}");
        }
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_waited_for() {
    for (kind, _) in AGENTS {
        let mut double = Double::start().await;
        // A port that nobody listens on any more.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        double.services = format!("http://{}", listener.local_addr().expect("bound"));
        drop(listener);
        let result = double.agent(kind).deploy(&mut context(values())).await;
        let ActivityResult::Retry { error, .. } = result else { panic!("{kind}: {result:?}") };
        assert!(error.contains(&double.services), "{kind}: {error}");
    }
}

#[tokio::test]
async fn disposing_undoes_and_tolerates_that_nothing_is_there() {
    for (kind, _) in AGENTS {
        let double = Double::start().await;
        let agent = double.agent(kind);
        assert_eq!(
            agent.dispose(&mut context(values())).await,
            ActivityResult::Complete,
            "{kind}: never deployed"
        );
        agent.deploy(&mut context(values())).await;
        for _ in 0..2 {
            assert_eq!(agent.dispose(&mut context(values())).await, ActivityResult::Complete, "{kind}");
        }
        if kind != "onboarding-activity" {
            assert!(double.things().is_empty(), "{kind} leaves {:?}", double.things());
        }
    }
}

#[tokio::test]
async fn disposing_tries_again_what_may_pass_and_tells_what_will_not() {
    let deletes = [
        ("edcv-activity", "DELETE /api/mgmt/v5beta/participants/ctx1"),
        ("identityhub-activity", "DELETE /api/identity/v1beta/participants/ctx1"),
        (
            "registration-activity",
            "DELETE /api/admin/v1beta/participants/the-issuer/holders/did%3Aweb%3Aheddle.example%253A7979%3Aacme",
        ),
        ("dataplane-activity", "DELETE /api/mgmt/v5beta/participants/ctx1/dataplanes/dp"),
        ("registration-activity", "DELETE /api/admin/v1beta/participants/Y3R4MQ"),
        ("dataplane-activity", "DELETE /api/dataplane/v1/participants/ctx1"),
    ];
    for (kind, line) in deletes {
        let double = Double::start().await;
        let agent = double.agent(kind);
        double.then(line, 503);
        let result = agent.dispose(&mut context(values())).await;
        assert!(matches!(result, ActivityResult::Retry { .. }), "{line}: {result:?}");
        double.then(line, 409);
        let result = agent.dispose(&mut context(values())).await;
        assert!(matches!(result, ActivityResult::Fatal(_)), "{line}: {result:?}");
    }
}

#[tokio::test]
async fn disposing_is_done_when_nothing_is_left() {
    for (kind, path) in [
        ("registration-activity", "/api/admin/v1beta/participants/Y3R4MQ"),
        ("dataplane-activity", "/api/dataplane/v1/participants/ctx1"),
    ] {
        let double = Double::start().await;
        let agent = double.agent(kind);
        let asked = async |attempt| {
            double.then(&format!("DELETE {path}"), 202);
            agent.dispose(&mut run(attempt, values())).await
        };
        for (attempt, seconds) in [(1, 0.25), (2, 0.5), (9, 60.0), (129, 60.0)] {
            let wait = Duration::from_secs_f64(seconds);
            assert_eq!(asked(attempt).await, ActivityResult::Schedule(wait), "{kind}: run {attempt}");
        }
        let result = asked(130).await;
        assert!(matches!(&result, ActivityResult::Fatal(what) if what.contains(path)), "{kind}: {result:?}");
        assert_eq!(agent.dispose(&mut context(values())).await, ActivityResult::Complete, "{kind}");
    }
}

#[tokio::test]
async fn what_is_missing_is_named_and_nothing_is_sent() {
    for (kind, _) in AGENTS {
        let double = Double::start().await;
        let missing = json!({"participantContextId": null, "cfm.participant.id": null});
        let result = double.agent(kind).deploy(&mut context(missing)).await;
        let ActivityResult::Fatal(sentence) = result else { panic!("{kind}: {result:?}") };
        assert!(sentence.contains("participant"), "{sentence}");
        assert!(double.requests().is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn a_conflict_with_another_participant_is_final() {
    let creating = [
        ("edcv-activity", "/api/mgmt/v5beta/participants/ctx1", "identity"),
        ("identityhub-activity", "/api/identity/v1beta/participants/ctx1", "did"),
    ];
    for (kind, path, member) in creating {
        let double = Double::start().await;
        double.put(path, json!({member: "did:web:somebody:else"}));
        let result = double.agent(kind).deploy(&mut context(values())).await;
        assert!(matches!(result, ActivityResult::Fatal(_)), "{kind}: {result:?}");
    }
}
