//! What a participant keeps: made, shown, selected, changed, removed.

use serde_json::{Value, json};

use crate::support::{CONTEXT, World, asset, criterion, definition, document, policy};

const P: &str = "/participants/provider";

#[tokio::test]
async fn assets() {
    let (world, provider, consumer) = World::with_participants().await;
    let path = format!("{P}/assets");
    let mut body = asset("a/1", &json!({"edc:name": {"@value": "n"}, "https://x.example/p": 7}));
    body["privateProperties"] = json!({"secret": "s"});
    body["dataplaneMetadata"] = json!({"@type": "DataplaneMetadata", "labels": "gold"});
    let made = world.ask("POST", &path, &provider, Some(&body)).await.is(200).json();
    assert_eq!(
        (&made["@type"], &made["@id"], &made["@context"]),
        (&json!("IdResponse"), &json!("a/1"), &json!([CONTEXT]))
    );
    assert!(made["createdAt"].is_i64(), "{made}");
    assert_eq!(world.ask("POST", &path, &provider, Some(&body)).await.refused(409)["type"], "ObjectConflict");
    let shown = world.ask("GET", &format!("{path}/a%2F1"), &provider, None).await.is(200).json();
    assert_eq!(shown["@context"], json!([CONTEXT]));
    assert_eq!(shown["properties"], json!({"id": "a/1", "name": "n", "https://x.example/p": 7}));
    assert_eq!(shown["privateProperties"]["secret"], "s");
    assert_eq!(shown["dataplaneMetadata"], json!({"@type": "DataplaneMetadata", "labels": ["gold"]}));
    // The same id belongs to another participant just as well.
    world
        .ask(
            "POST",
            "/participants/consumer/assets",
            &consumer,
            Some(&asset("a/1", &json!({"name": "mine"}))),
        )
        .await
        .is(200);
    body["properties"] = json!({"name": "changed"});
    world.ask("PUT", &path, &provider, Some(&body)).await.is(204);
    let of = async |context: &str, token: &str| {
        let path = format!("/participants/{context}/assets/a%2F1");
        world.ask("GET", &path, token, None).await.is(200).json()["properties"]["name"].clone()
    };
    assert_eq!(of("provider", &provider).await, "changed");
    assert_eq!(of("consumer", &consumer).await, "mine");
    world.ask("DELETE", &format!("{path}/a%2F1"), &provider, None).await.is(204);
    world.ask("DELETE", &format!("{path}/a%2F1"), &provider, None).await.refused(404);
    assert_eq!(of("consumer", &consumer).await, "mine");
    world.ask("PUT", &path, &provider, Some(&body)).await.refused(404);
    let nobody =
        world.ask("POST", "/participants/nobody/assets", &world.admin, Some(&body)).await.refused(404);
    assert_eq!(nobody["type"], "ObjectNotFound");
}

#[tokio::test]
async fn documents_that_are_not_valid_say_where() {
    let (world, provider, _) = World::with_participants().await;
    let path = format!("{P}/assets");
    let refused = async |body: Value| world.ask("POST", &path, &provider, Some(&body)).await.refused(400);
    let no_context = refused(json!({"@type": "Asset", "properties": {}})).await;
    assert_eq!(no_context["path"], "/@context");
    let no_type = refused(json!({"@context": CONTEXT, "properties": {}})).await;
    assert_eq!(no_type["message"], "JsonObject is missing required property: @type");
    assert_eq!(refused(document("Policy", json!({}))).await["type"], "InvalidRequest");
    let wrong = refused(document("Asset", json!({"properties": "x"}))).await;
    assert_eq!((&wrong["type"], &wrong["path"]), (&json!("ValidationFailure"), &json!("/properties")));
    let mut twice = asset("a", &json!({"name": "n"}));
    twice["privateProperties"] = json!({"name": "m"});
    assert_eq!(refused(twice).await["path"], "/privateProperties/name");
    let catalog = refused(document("CatalogAsset", json!({"properties": {"format": "f"}}))).await;
    assert!(catalog["message"].as_str().is_some_and(|text| text.contains("endpointURL")), "{catalog}");
}

#[tokio::test]
async fn selections() {
    let (world, provider, _) = World::with_participants().await;
    for number in 0..5 {
        let body = asset(&format!("a{number}"), &json!({"size": number, "even": number % 2 == 0}));
        world.ask("POST", &format!("{P}/assets"), &provider, Some(&body)).await.is(200);
    }
    let path = format!("{P}/assets/request");
    let select = async |spec: Value| {
        let body = document("QuerySpec", spec);
        let found = world.ask("POST", &path, &provider, Some(&body)).await.is(200).json();
        found
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["@id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(select(json!({"offset": 1, "limit": 2})).await, ["a1", "a2"]);
    assert_eq!(select(json!({"sortField": "size", "sortOrder": "DESC", "limit": 2})).await, ["a4", "a3"]);
    let even = criterion("https://w3id.org/edc/v0.0.1/ns/even", "=", &json!(true));
    assert_eq!(select(json!({"filterExpression": [even], "offset": 1})).await, ["a2", "a4"]);
    assert_eq!(select(json!({"filterExpression": criterion("id", "in", &json!(["a3", "x"]))})).await, ["a3"]);
    assert_eq!(select(json!({"filterExpression": [criterion("size", ">=", &json!(3))]})).await, ["a3", "a4"]);
    for (operator, operand, found) in [
        ("!=", json!(3), vec!["a0", "a1", "a2", "a4"]),
        ("not in", json!([0, 1, 2]), vec!["a3", "a4"]),
        ("<", json!(1), vec!["a0"]),
        ("LIKE", json!("3%"), vec!["a3"]),
    ] {
        let spec = json!({"filterExpression": [criterion("properties.'size'", operator, &operand)]});
        assert_eq!(select(spec).await, found, "{operator}");
    }
    let both = json!([criterion("size", ">", &json!(0)), criterion("even", "=", &json!(true))]);
    let sorted = json!({"filterExpression": both, "sortField": "'size'", "sortOrder": "DESC", "offset": 1});
    assert_eq!(select(sorted).await, ["a2"]);
    assert!(select(json!({"filterExpression": [criterion("colour", "!=", &json!("red"))]})).await.is_empty());
    let whole = world.ask("POST", &path, &provider, None).await.is(200).json();
    assert_eq!(whole.as_array().map(Vec::len), Some(5));
    assert!(whole.as_array().is_some_and(|all| all.iter().all(|one| one["@context"] == json!([CONTEXT]))));
    for (spec, pointer) in [
        (json!({"limit": 0}), "/limit"),
        (
            json!({"filterExpression": [criterion("id", "resembles", &json!("x"))]}),
            "/filterExpression/0/operator",
        ),
        (
            json!({"filterExpression": [criterion("id", "in", &json!("x"))]}),
            "/filterExpression/0/operandRight",
        ),
        (
            json!({"filterExpression": [criterion("id", "=", &json!({"a": 1}))]}),
            "/filterExpression/0/operandRight",
        ),
        (json!({"filterExpression": [criterion("%", "=", &json!("x"))]}), "/filterExpression/0/operandLeft"),
        (json!({"filterExpression": vec![criterion("id", "=", &json!("x")); 65]}), "/filterExpression"),
        (json!({"sortField": "?"}), "/sortField"),
    ] {
        let refused =
            world.ask("POST", &path, &provider, Some(&document("QuerySpec", spec))).await.refused(400);
        assert_eq!(refused["path"], pointer);
    }
    let unknown = document("QuerySpec", json!({"filterExpression": [criterion("colour", "=", &json!("x"))]}));
    let path = format!("{P}/contractdefinitions/request");
    let refused = world.ask("POST", &path, &provider, Some(&unknown)).await.refused(400);
    assert!(
        refused["message"].as_str().is_some_and(|text| text.starts_with("Error validating schema")),
        "{refused}"
    );
}

#[tokio::test]
async fn policies_and_definitions() {
    let (world, provider, consumer) = World::with_participants().await;
    let (policies, definitions) = (format!("{P}/policydefinitions"), format!("{P}/contractdefinitions"));
    world.ask("POST", &policies, &provider, Some(&policy("open", Value::Null))).await.is(200);
    world.ask("POST", &policies, &provider, Some(&policy("open", Value::Null))).await.refused(409);
    let unbound =
        json!([{"leftOperand": "https://x.example/unheard", "operator": "eq", "rightOperand": "y"}]);
    let refused =
        world.ask("POST", &policies, &provider, Some(&policy("p", unbound.clone()))).await.refused(400);
    let message = refused["message"].as_str().expect("text");
    assert!(
        message.starts_with("leftOperand 'https://x.example/unheard' is not bound to any scopes"),
        "{message}"
    );
    world
        .ask("PUT", &format!("{policies}/open"), &provider, Some(&policy("open", unbound)))
        .await
        .refused(400);
    world
        .ask("PUT", &format!("{policies}/open"), &provider, Some(&policy("other", Value::Null)))
        .await
        .refused(400);
    let date =
        json!([{"leftOperand": "inForceDate", "operator": "gteq", "rightOperand": "contractAgreement+0s"}]);
    world
        .ask("PUT", &format!("{policies}/open"), &provider, Some(&policy("open", date.clone())))
        .await
        .is(204);
    let shown = world.ask("GET", &format!("{policies}/open"), &provider, None).await.is(200).json();
    assert_eq!(shown["policy"]["permission"][0]["constraint"], date);
    let valid = world.ask("POST", &format!("{policies}/open/validate"), &provider, None).await.is(200).json();
    assert_eq!(valid["isValid"], true);
    // The contract policy does not exist yet.
    let body = definition("d", "open", "later", &json!(criterion("id", "=", &json!("a"))));
    world.ask("POST", &definitions, &provider, Some(&body)).await.is(200);
    let shown = world.ask("GET", &format!("{definitions}/d"), &provider, None).await.is(200).json();
    assert_eq!(shown["assetsSelector"], json!([criterion("id", "=", &json!("a"))]));
    world.ask("DELETE", &format!("{policies}/open"), &provider, None).await.refused(409);
    world
        .ask("PUT", &definitions, &provider, Some(&definition("d", "later", "later", &json!([]))))
        .await
        .is(204);
    let moved = document(
        "QuerySpec",
        json!({"filterExpression": [criterion("accessPolicyId", "=", &json!("later"))]}),
    );
    let found =
        world.ask("POST", &format!("{definitions}/request"), &provider, Some(&moved)).await.is(200).json();
    assert_eq!(found[0]["@id"], "d");
    world.ask("DELETE", &format!("{policies}/open"), &provider, None).await.is(204);
    world.ask("DELETE", &format!("{definitions}/d"), &provider, None).await.is(204);
    world.ask("GET", &format!("{definitions}/d"), &provider, None).await.refused(404);
    world.ask("GET", &format!("{policies}/open"), &consumer, None).await.refused(403);
}
