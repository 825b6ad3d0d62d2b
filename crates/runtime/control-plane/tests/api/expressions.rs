//! What policies mean, and which credentials they need.

use serde_json::{Value, json};

use crate::support::{World, document, policy};

fn expression(id: &str, text: &str) -> Value {
    document(
        "CelExpression",
        json!({"@id": id, "leftOperand": "https://x.example/Known", "expression": text, "description": "d",
            "scopes": ["catalog"]}),
    )
}

#[tokio::test]
async fn expressions_give_left_operands_their_meaning() {
    let (world, provider, _) = World::with_participants().await;
    let ask = async |method: &str, path: &str, body: Option<Value>| {
        world.ask(method, path, &world.admin, body.as_ref()).await
    };
    let constraint =
        json!([{"leftOperand": "https://x.example/Known", "operator": "eq", "rightOperand": "y"}]);
    let policies = "/participants/provider/policydefinitions";
    world.ask("POST", policies, &provider, Some(&policy("p", constraint.clone()))).await.refused(400);
    let broken = ask("POST", "/celexpressions", Some(expression("e", "ctx.agent.id =="))).await.refused(400);
    assert_eq!(broken["path"], "/expression");
    ask("POST", "/celexpressions", Some(expression("e", "ctx.agent.id != ''"))).await.is(200);
    ask("POST", "/celexpressions", Some(expression("e", "true"))).await.refused(409);
    world.ask("POST", policies, &provider, Some(&policy("p", constraint))).await.is(200);
    ask("PUT", "/celexpressions/e", Some(expression("e", "false"))).await.is(204);
    let shown = ask("GET", "/celexpressions/e", None).await.is(200).json();
    assert_eq!((&shown["expression"], &shown["scopes"]), (&json!("false"), &json!(["catalog"])));
    let all = ask("POST", "/celexpressions/request", None).await.is(200).json();
    assert_eq!(all.as_array().map(Vec::len), Some(1));
    ask("DELETE", "/celexpressions/e", None).await.is(204);
    ask("DELETE", "/celexpressions/e", None).await.refused(404);
}

#[tokio::test]
async fn an_expression_can_be_tried() {
    let world = World::empty().await;
    let test = async |text: &str, params: Value| {
        let members = json!({"leftOperand": "x", "expression": text, "operator": "EQ", "rightOperand": "y", "params": params});
        world
            .admin_post("/celexpressions/test", &document("CelExpressionTestRequest", members))
            .await
            .is(200)
            .json()
    };
    let agent = json!({"agent": {"id": "a", "claims": {}}});
    assert_eq!(
        test("ctx.agent.id == 'a' && this.operator == 'EQ'", agent.clone()).await["evaluationResult"],
        true
    );
    assert_eq!(test("ctx.agent.id == 'b'", agent).await["evaluationResult"], false);
    let failed = test("ctx.agent.id == 'a'", json!({})).await;
    assert!(failed["error"].is_string() && failed.get("evaluationResult").is_none(), "{failed}");
}

#[tokio::test]
async fn scopes_of_credentials() {
    let world = World::empty().await;
    let scope = |members: Value| document("DcpScope", members);
    let value = "org.eclipse.dspace.dcp.vc.type:MembershipCredential:read";
    world.admin_post("/dcpscopes", &scope(json!({"@id": "s", "value": value}))).await.is(200);
    world.admin_post("/dcpscopes", &scope(json!({"@id": "s", "value": value}))).await.refused(409);
    assert_eq!(
        world.admin_post("/dcpscopes", &scope(json!({"value": "x"}))).await.refused(400)["path"],
        "/value"
    );
    let policy = json!({"type": "POLICY", "value": value});
    assert_eq!(world.admin_post("/dcpscopes", &scope(policy)).await.refused(400)["path"], "/prefixMapping");
    let update = scope(json!({"type": "POLICY", "value": value, "prefixMapping": "Membership"}));
    world.ask("PUT", "/dcpscopes/s", &world.admin, Some(&update)).await.is(204);
    let all = world.ask("POST", "/dcpscopes/request", &world.admin, None).await.is(200).json();
    assert_eq!((&all[0]["type"], &all[0]["profile"]), (&json!("POLICY"), &json!("*")));
    world.ask("DELETE", "/dcpscopes/s", &world.admin, None).await.is(204);
    world.ask("DELETE", "/dcpscopes/s", &world.admin, None).await.refused(404);
}
