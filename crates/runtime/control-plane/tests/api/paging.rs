//! Pages of a catalog.

use serde_json::{Value, json};

use crate::support::{DSP, World, asset, data_plane, definition, policy};

const P: &str = "/participants/provider";

fn link(headers: &http::HeaderMap, relation: &str) -> Option<String> {
    let wanted = format!("rel=\"{relation}\"");
    let links = headers.get_all("link").iter().map(|value| value.to_str().expect("text"));
    let link = links.into_iter().find(|link| link.ends_with(&wanted))?;
    Some(link.split('>').next()?.trim_start_matches('<').to_owned())
}

#[tokio::test]
async fn links_lead_through_the_whole_catalog() {
    let (world, provider, _) = World::with_participants().await;
    let post = async |path: &str, body: Value| {
        world.ask("POST", &format!("{P}/{path}"), &provider, Some(&body)).await.is(200)
    };
    post("policydefinitions", policy("open", Value::Null)).await;
    post("contractdefinitions", definition("d", "open", "open", &json!([]))).await;
    let plane = data_plane("dp", &json!(["HttpData-PULL"]));
    world.ask("PUT", &format!("{P}/dataplanes"), &provider, Some(&plane)).await.is(200);
    for number in 0..205 {
        post("assets", asset(&format!("a{number:03}"), &json!({}))).await;
    }
    let base = world.address("provider");
    let message = json!({"@context": [DSP], "@type": "CatalogRequestMessage"});
    let mut path = "/catalog/request".to_owned();
    let (mut ids, mut pages, mut previous) = (Vec::new(), 0, None);
    loop {
        let answer = world.dsp("POST", &path, "as consumer", Some(&message)).await.is(200);
        let catalog = answer.json();
        let page = catalog["dataset"].as_array().expect("a page is not empty");
        ids.extend(page.iter().map(|one| one["@id"].as_str().expect("an id").to_owned()));
        pages += 1;
        previous = link(&answer.headers, "previous").or(previous);
        match link(&answer.headers, "next") {
            Some(next) => path = next.strip_prefix(&base).expect("a link to the same catalog").to_owned(),
            None => break,
        }
    }
    let all: Vec<String> = (0..205).map(|number| format!("a{number:03}")).collect();
    assert_eq!((pages, ids), (3, all));
    let back = previous.expect("the last page has one before it");
    let back = back.strip_prefix(&base).expect("a link to the same catalog");
    let before = world.dsp("POST", back, "as consumer", Some(&message)).await.is(200).json();
    assert_eq!(before["dataset"][0]["@id"], "a100");
    assert_eq!(before["dataset"].as_array().map(Vec::len), Some(100));
}
