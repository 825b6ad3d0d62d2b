//! The catalog as peers see it.

use serde_json::{Value, json};

use crate::support::{
    Answer, DSP, PROFILE, World, asset, criterion, data_plane, definition, did, document, policy, request,
};

const P: &str = "/participants/provider";

/// A provider with one asset for everybody and one for `other` alone.
async fn shop() -> (World, String) {
    let (world, provider, _) = World::with_participants().await;
    let members = json!({"leftOperand": "https://x.example/Party", "expression": "ctx.agent.id == this.rightOperand",
        "description": "d"});
    world.admin_post("/celexpressions", &document("CelExpression", members)).await.is(200);
    let post = async |path: &str, body: Value| {
        world.ask("POST", &format!("{P}/{path}"), &provider, Some(&body)).await.is(200)
    };
    let party =
        json!([{"leftOperand": "https://x.example/Party", "operator": "eq", "rightOperand": did("other")}]);
    post("policydefinitions", policy("open", Value::Null)).await;
    post("policydefinitions", policy("party", party)).await;
    let mut public = asset("public", &json!({"name": "for all"}));
    public["privateProperties"] = json!({"price": 7});
    post("assets", public).await;
    post("assets", asset("special", &json!({"name": "for one"}))).await;
    post(
        "contractdefinitions",
        definition("d1", "open", "open", &json!([criterion("id", "=", &json!("public"))])),
    )
    .await;
    post(
        "contractdefinitions",
        definition("d2", "party", "open", &json!([criterion("id", "=", &json!("special"))])),
    )
    .await;
    let planes = format!("{P}/dataplanes");
    let plane = data_plane("dp", &json!(["HttpData-PULL", "HttpData-PUSH"]));
    world.ask("PUT", &planes, &provider, Some(&plane)).await.is(200);
    (world, provider)
}

fn message(filter: Value) -> Value {
    let mut message = json!({"@context": [DSP], "@type": "CatalogRequestMessage"});
    if !filter.is_null() {
        message["filter"] = filter;
    }
    message
}

async fn catalog(world: &World, peer: &str, filter: Value) -> Answer {
    world.dsp("POST", "/catalog/request", &format!("as {peer}"), Some(&message(filter))).await
}

fn datasets(catalog: &Value) -> Vec<&str> {
    let all = catalog["dataset"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter().map(|dataset| dataset["@id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn each_peer_sees_what_its_access_policies_open() {
    let (world, _) = shop().await;
    let seen = catalog(&world, "consumer", json!([])).await.is(200).json();
    assert_eq!(datasets(&seen), ["public"]);
    assert_eq!(seen["@context"], json!([DSP]));
    assert_eq!(seen["participantId"], did("provider"));
    let dataset = &seen["dataset"][0];
    assert_eq!((&dataset["@type"], &dataset["name"]), (&json!("Dataset"), &json!("for all")));
    assert_eq!(dataset["id"], "public");
    assert!(dataset.get("price").is_none(), "{dataset}");
    let formats: Vec<_> =
        dataset["distribution"].as_array().expect("a list").iter().map(|one| &one["format"]).collect();
    assert_eq!(formats, ["HttpData-PULL", "HttpData-PUSH"]);
    assert_eq!(dataset["distribution"][0]["accessService"]["endpointURL"], world.address("provider"));
    let offer = &dataset["hasPolicy"][0];
    assert!(offer.get("target").is_none() && offer["permission"].is_array(), "{offer}");
    let again = catalog(&world, "consumer", Value::Null).await.is(200).json();
    assert_eq!(again, seen, "offers and ids stay the same");
    assert_eq!(datasets(&catalog(&world, "other", Value::Null).await.is(200).json()), ["public", "special"]);
}

#[tokio::test]
async fn a_dataset_that_is_not_for_the_peer_is_like_one_that_is_not_there() {
    let (world, _) = shop().await;
    let get =
        async |id: &str, peer: &str| world.dsp("GET", &format!("/catalog/datasets/{id}"), peer, None).await;
    let shown = get("special", "as other").await.is(200).json();
    assert_eq!((&shown["@id"], &shown["@context"]), (&json!("special"), &json!([DSP])));
    let absent = get("absent", "as consumer").await.is(404);
    assert_eq!(absent.json()["@type"], "CatalogError");
    for (id, peer) in [("special", "as consumer"), ("public", ""), ("public", "as nobody")] {
        let answer = get(id, peer).await.is(404);
        assert_eq!(
            (answer.text, answer.headers.get("www-authenticate")),
            (absent.text.clone(), None),
            "{id} {peer}"
        );
    }
}

#[tokio::test]
async fn strangers_find_nothing() {
    let (world, _) = shop().await;
    let stranger = catalog(&world, "nobody", Value::Null).await.is(404);
    assert_eq!(stranger.json()["@type"], "CatalogError");
    for path in [format!("/api/dsp/nobody/{PROFILE}"), "/api/dsp/provider/unheard".to_owned()] {
        let path = format!("{path}/catalog/request");
        let answer = world.send(request("POST", &path, "as consumer", Some(&message(Value::Null)))).await;
        assert_eq!(answer.is(404).text, stranger.text, "{path}");
    }
}

#[tokio::test]
async fn malformed_requests_and_other_filters_are_refused() {
    let (world, _) = shop().await;
    let wrong = json!({"@context": [DSP], "@type": "DatasetRequestMessage"});
    let answer = world.dsp("POST", "/catalog/request", "as consumer", Some(&wrong)).await.is(400);
    assert_eq!(answer.json()["@type"], "CatalogError");
    catalog(&world, "consumer", json!([{"language": "unheard"}])).await.is(400);
    let path = "/catalog/request?continuationToken=x";
    world.dsp("POST", path, "as consumer", Some(&message(Value::Null))).await.is(400);
    let by = |left: &str, right: Value| json!([{"@type": "QuerySpec", "offset": 0, "limit": 50, "filterExpression": [criterion(left, "=", &right)]}]);
    let found = catalog(&world, "other", by("name", json!("for one"))).await.is(200).json();
    assert_eq!(datasets(&found), ["special"]);
    // What is private cannot be asked for.
    let found = catalog(&world, "other", by("price", json!(7))).await.is(200).json();
    assert!(found.get("dataset").is_none(), "{found}");
}

#[tokio::test]
async fn what_cannot_be_had_is_not_offered() {
    let (world, provider) = shop().await;
    let mut narrowed = asset("public", &json!({}));
    narrowed["dataplaneMetadata"] = json!({"@type": "DataplaneMetadata", "profiles": ["HttpData-PUSH"]});
    world.ask("PUT", &format!("{P}/assets"), &provider, Some(&narrowed)).await.is(204);
    let seen = catalog(&world, "consumer", Value::Null).await.is(200).json();
    assert_eq!(seen["dataset"][0]["distribution"].as_array().map(Vec::len), Some(1));
    assert_eq!(seen["dataset"][0]["distribution"][0]["format"], "HttpData-PUSH");
    world.ask("DELETE", &format!("{P}/dataplanes/dp"), &provider, None).await.is(200);
    let seen = catalog(&world, "consumer", Value::Null).await.is(200).json();
    assert!(seen.get("dataset").is_none() && seen["service"].is_array(), "{seen}");
}

#[tokio::test]
async fn an_asset_may_stand_for_another_catalog() {
    let (world, provider) = shop().await;
    let members = json!({"@id": "elsewhere", "properties": {"endpointURL": "https://x.example/dsp", "format": "HTTPS"}});
    let body = document("CatalogAsset", members);
    world.ask("POST", &format!("{P}/assets"), &provider, Some(&body)).await.is(200);
    let shown = world.ask("GET", &format!("{P}/assets/elsewhere"), &provider, None).await.is(200).json();
    assert_eq!(shown["@type"], "CatalogAsset");
    let selector = json!([criterion("id", "=", &json!("elsewhere"))]);
    let body = definition("d3", "open", "open", &selector);
    world.ask("POST", &format!("{P}/contractdefinitions"), &provider, Some(&body)).await.is(200);
    let seen = catalog(&world, "consumer", Value::Null).await.is(200).json();
    assert_eq!(datasets(&seen), ["public"]);
    assert_eq!(
        (&seen["catalog"][0]["@id"], &seen["catalog"][0]["@type"]),
        (&json!("elsewhere"), &json!("Catalog"))
    );
    assert_eq!(seen["catalog"][0]["service"][0]["endpointURL"], "https://x.example/dsp");
}

#[tokio::test]
async fn a_participant_that_is_not_active_is_not_there() {
    let (world, _) = shop().await;
    let mut body = crate::support::participant_document("provider");
    body["state"] = json!("DEACTIVATED");
    world.ask("PUT", P, &world.admin, Some(&body)).await.is(204);
    catalog(&world, "consumer", Value::Null).await.is(404);
}
