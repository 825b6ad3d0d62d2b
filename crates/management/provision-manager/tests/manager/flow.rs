//! Orders, agents, responses.

use std::time::Duration;

use heddle_agent::{ActivityResult, DEPLOY, DISPOSE};
use serde_json::json;

use crate::world::{READ, Step, World};

fn fatal(sentence: &str) -> Step {
    Step::Result(ActivityResult::Fatal(sentence.to_owned()))
}

#[tokio::test]
async fn an_order_runs_its_graph_and_the_answer_has_the_outputs() {
    let plans = vec![("a", vec![]), ("b", vec![Step::Output("x")]), ("c", vec![])];
    let mut world = World::with(plans).await;
    world.define("t", &[(DEPLOY, &["a", "b<a", "c<b"])]).await;
    world.order("o1", DEPLOY).await;
    let response = world.response().await;
    assert!(response.success && response.error_detail.is_none());
    assert_eq!((response.manifest_id.as_str(), response.correlation_id.as_str()), ("o1", "profile-1"));
    assert_eq!(response.properties["out"], "x");
    let context = response.properties["participantContextId"].as_str().expect("an output").to_owned();
    assert!(context.len() == 32 && context.bytes().all(|byte| byte.is_ascii_hexdigit()), "{context}");
    assert_eq!(
        world.calls(),
        ["deploy a 1", "deploy b 1 a", "deploy c 1 ab"],
        "later ones see what earlier ones set"
    );
    assert_eq!(world.events().await, ["orchestration.started o1", "orchestration.completed o1"]);

    let (status, shown) = world.call(READ, "GET /orchestrations/o1", None).await;
    assert_eq!((status, &shown["state"], &shown["correlationId"]), (200, &json!(2), &json!("profile-1")));
    assert_eq!(shown["completed"], json!({"a": {}, "b": {}, "c": {}}));
    let ids = |step: usize| shown["steps"][step]["activities"][0]["id"].clone();
    assert_eq!([ids(0), ids(1), ids(2)], [json!("a"), json!("b"), json!("c")]);
    assert_eq!(shown["processingData"]["participantContextId"], context);
}

#[tokio::test]
async fn the_same_order_again_is_the_same_orchestration() {
    let mut world = World::with(vec![("a", vec![])]).await;
    world.define("t", &[(DEPLOY, &["a"])]).await;
    world.order("o1", DEPLOY).await;
    world.response().await;
    world.order("o1", DEPLOY).await;
    // Another order behind it, so that the repeated one is over when this is.
    world.order("o2", DEPLOY).await;
    assert_eq!(world.response().await.manifest_id, "o2");
    assert_eq!(world.calls().len(), 2);
    assert_eq!(world.end().await, []);
}

#[tokio::test]
async fn a_failure_is_told_with_its_sentence_and_what_completed_is_undone_in_reverse() {
    let plans = vec![("a", vec![]), ("b", vec![]), ("c", vec![fatal("the issuer says no")])];
    let mut world = World::with(plans).await;
    world.define("t", &[(DEPLOY, &["a", "b<a", "c<b"]), (DISPOSE, &["a", "b", "c"])]).await;
    world.order("o1", DEPLOY).await;
    let failed = world.response().await;
    assert!(!failed.success);
    assert_eq!(failed.error_detail.as_deref(), Some("c: the issuer says no"));
    let undone = world.response().await;
    assert!(undone.success);
    assert_eq!(undone.manifest_id, "o1-compensation");
    assert_eq!((undone.orchestration_type.as_str(), undone.correlation_id.as_str()), (DISPOSE, "profile-1"));
    let calls: Vec<String> = world.calls().iter().map(|call| call[..call.len().min(9)].to_owned()).collect();
    assert_eq!(calls, ["deploy a ", "deploy b ", "deploy c ", "dispose b", "dispose a"]);
    let (_, shown) = world.call(READ, "GET /orchestrations/o1-compensation", None).await;
    assert_eq!((&shown["state"], &shown["compensates"]), (&json!(2), &json!("o1")));
    let (_, shown) = world.call(READ, "GET /orchestrations/o1", None).await;
    assert_eq!((&shown["state"], &shown["errorDetail"]), (&json!(3), &json!("c: the issuer says no")));
    let c = &shown["steps"][2]["activities"][0];
    assert_eq!((&c["state"], &c["error"]), (&json!("failed"), &json!("the issuer says no")));
}

#[tokio::test]
async fn a_template_that_cannot_undo_leaves_it_at_the_failure() {
    let mut world = World::with(vec![("a", vec![fatal("no")])]).await;
    world.define("other", &[(DISPOSE, &["a"])]).await;
    world.define("t", &[(DEPLOY, &["a"])]).await;
    world.order("o1", DEPLOY).await;
    assert!(!world.response().await.success);
    assert_eq!(world.call(READ, "GET /orchestrations/o1-compensation", None).await.0, 404);
    assert_eq!(world.calls(), ["deploy a 1"]);
    assert_eq!(world.end().await, []);
}

#[tokio::test]
async fn runs_go_on_after_a_while_and_see_what_they_set() {
    let soon = Step::Result(ActivityResult::Schedule(Duration::from_millis(1)));
    let retry = ActivityResult::Retry { error: "away".to_owned(), after: Some(Duration::from_millis(1)) };
    let mut world = World::with(vec![("a", vec![soon, Step::Result(retry)])]).await;
    world.define("t", &[(DEPLOY, &["a"])]).await;
    world.order("o1", DEPLOY).await;
    assert!(world.response().await.success);
    assert_eq!(world.calls(), ["deploy a 1", "deploy a 2 a", "deploy a 3 aa"]);
}

#[tokio::test]
async fn an_agent_that_panics_is_a_failure_and_not_a_hang() {
    let mut world = World::with(vec![("a", vec![Step::Panic])]).await;
    world.define("t", &[(DEPLOY, &["a"])]).await;
    world.order("o1", DEPLOY).await;
    let response = world.response().await;
    assert!(response.error_detail.expect("a sentence").contains("panicked"));
}

#[tokio::test]
async fn an_order_that_nobody_can_carry_out_is_answered() {
    let mut world = World::new().await;
    world.order("o1", "no.such.type").await;
    let response = world.response().await;
    assert!(!response.success);
    assert!(response.error_detail.expect("a sentence").contains("'no.such.type' not found"));
}

#[tokio::test]
async fn an_id_that_somebody_else_has_is_answered_and_changes_nothing() {
    let mut world = World::with(vec![("a", vec![])]).await;
    world.define("t", &[(DEPLOY, &["a"])]).await;
    let manifest = json!({"id": "o1", "correlationId": "c", "orchestrationType": DEPLOY});
    let (status, _) = world.call(crate::world::WRITE, "POST /orchestrations", Some(manifest)).await;
    assert_eq!(status, 202);
    assert!(world.response().await.success, "the installation's");
    world.order("o1", DEPLOY).await;
    let response = world.response().await;
    assert!(response.error_detail.expect("a sentence").contains("taken"));
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn the_newest_template_counts_unless_one_is_named() {
    let mut world = World::with(vec![("old", vec![]), ("new", vec![])]).await;
    world.define("t1", &[(DEPLOY, &["old"])]).await;
    world.define("t2", &[(DEPLOY, &["new"])]).await;
    world.order("o1", DEPLOY).await;
    world.response().await;
    assert_eq!(world.calls(), ["deploy new 1"]);
    let named = json!({"id": "o2", "correlationId": "c", "orchestrationType": DEPLOY, "templateRef": "t1"});
    assert_eq!(world.call(crate::world::WRITE, "POST /orchestrations", Some(named)).await.0, 202);
    world.response().await;
    assert_eq!(world.calls(), ["deploy old 1"]);
}
