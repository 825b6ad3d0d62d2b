//! `/tenants`.

use serde_json::{Value, json};

use crate::world::{World, answer_to};

#[tokio::test]
async fn a_tenant_is_created_shown_changed_and_deleted() {
    let world = World::new().await;
    let body = json!({"id": "mine", "version": 9, "properties": {"name": "Acme", "old": true}});
    let made = world.call("POST /tenants", Some(body)).await;
    assert_eq!(made.status, 201);
    let id = made.id();
    assert_eq!(made.body, json!({"id": id, "version": 1, "properties": {"name": "Acme", "old": true}}));
    assert_ne!(id, "mine", "the server chooses");
    let event = world.told("tenant.created", &id).await;
    assert_eq!(event.payload, json!({"tenantId": id}).to_string());

    let difference =
        json!({"properties": {"name": "Acme AG", "none": null, "x": 1}, "removed": ["old", "x", "y"]});
    let line = format!("/tenants/{id}");
    let changed = world.call(&format!("PATCH {line}"), Some(difference)).await;
    assert_eq!((changed.status, changed.body), (200, Value::Null));
    let nothing = json!({"properties": null, "removed": null});
    assert_eq!(world.call(&format!("PATCH {line}"), Some(nothing)).await.status, 200);
    let shown = world.call_as(&world.reader, &format!("GET {line}"), None).await;
    assert_eq!(shown.body, json!({"id": id, "version": 3, "properties": {"name": "Acme AG", "none": null}}));

    let gone = world.call(&format!("DELETE {line}"), None).await;
    assert_eq!((gone.status, gone.body), (200, Value::Null));
    for (method, body) in [("GET", None), ("PATCH", Some(json!({}))), ("DELETE", None)] {
        assert_eq!(
            world.call(&format!("{method} {line}"), body).await.error(),
            (404, "Not found"),
            "{method}"
        );
    }
    assert_eq!(world.call("GET /tenants", None).await.body, json!([]));
}

#[tokio::test]
async fn what_is_no_tenant_is_refused() {
    let world = World::new().await;
    for body in [json!({"properties": []}), json!({"properties": "x"}), Value::Null] {
        let answer = world.call("POST /tenants", Some(body)).await;
        assert_eq!((answer.error().0, &answer.body["error"]), (400, &json!("Bad Request")), "{answer:?}");
    }
    let tenant = world.new_tenant().await;
    let body = json!({"removed": [1]});
    let answer = world.call(&format!("PATCH /tenants/{tenant}"), Some(body)).await;
    assert!(answer.error().1.starts_with("/removed/0"), "{answer:?}");
    for query in ["offset=x", "limit=-1", "offset=-1", "limit=1.5"] {
        assert_eq!(world.call(&format!("GET /tenants?{query}"), None).await.error().0, 400, "{query}");
    }
}

/// The path behind a relation of the `Link` header, below the API's.
fn link(headers: &axum::http::HeaderMap, relation: &str) -> Option<String> {
    let links = headers["link"].to_str().expect("text");
    let wanted = format!("rel=\"{relation}\"");
    let link = links.split(", ").find(|link| link.ends_with(&wanted))?;
    let target = link.strip_prefix('<').and_then(|link| link.split_once('>')).expect("a target").0;
    Some(target.strip_prefix(crate::server::BASE).expect("a path of this API").to_owned())
}

#[tokio::test]
async fn links_walk_through_all_tenants_and_back() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.new_tenant().await);
    }
    made.sort();

    let (mut seen, mut next, mut pages) = (Vec::new(), Some("/tenants?limit=2".to_owned()), Vec::new());
    while let Some(path) = next {
        let page = world.call(&format!("GET {path}"), None).await;
        assert_eq!(page.headers["x-total-count"], "5");
        let tenants = page.body.as_array().expect("a list").iter();
        seen.extend(tenants.map(|tenant| tenant["id"].as_str().expect("text").to_owned()));
        next = link(&page.headers, "next");
        pages.push(page);
    }
    assert_eq!(seen, made);
    assert_eq!(
        pages.iter().map(|page| page.body.as_array().map_or(0, Vec::len)).collect::<Vec<_>>(),
        [2, 2, 1]
    );
    let [first, .., last] = &pages[..] else { panic!("pages") };
    assert_eq!(link(&first.headers, "prev"), None);
    let same = |page: Value, other: &Value| assert_eq!(&page, other);
    let follow = async |headers, relation| {
        let path = link(headers, relation).expect("a link");
        world.call(&format!("GET {path}"), None).await.body
    };
    same(follow(&first.headers, "last").await, &last.body);
    same(follow(&last.headers, "first").await, &first.body);
    same(follow(&last.headers, "prev").await, &pages[1].body);
    same(follow(&last.headers, "self").await, &last.body);

    let all = world.call("GET /tenants", None).await;
    assert_eq!(all.body.as_array().map(Vec::len), Some(5), "no limit is everything");
    assert_eq!(link(&all.headers, "next"), None);
    let beyond = world.call("GET /tenants?offset=9", None).await;
    assert_eq!((beyond.status, beyond.body), (200, json!([])));
}

#[tokio::test]
async fn a_tenant_with_participants_stays_until_they_are_disposed_of() {
    let mut world = World::new().await;
    world.dataspace().await;
    let tenant = world.new_tenant().await;
    let (profile, _) = world.active(&tenant, "did:web:acme").await;
    let line = format!("DELETE /tenants/{tenant}");
    let sentence = (400, "Bad request: cannot delete tenant with participants");
    assert_eq!(world.call(&line, None).await.error(), sentence);

    assert_eq!(world.call(&format!("DELETE {profile}"), None).await.status, 202);
    assert_eq!(world.call(&line, None).await.error(), sentence, "it is disposing");
    let manifest = world.manifest().await;
    world.respond(&tenant, &answer_to(&manifest, None)).await;
    world.told("participant.profile.disposed", &manifest.correlation_id).await;

    assert_eq!(world.call(&line, None).await.status, 200);
    assert_eq!(world.call(&format!("GET {profile}"), None).await.error(), (404, "Not found"));
    let list = format!("GET /tenants/{tenant}/participant-profiles");
    assert_eq!(world.call(&list, None).await.body, json!([]));
}

#[tokio::test]
async fn a_tenant_takes_profiles_again_after_a_refused_deletion() {
    let mut world = World::new().await;
    world.dataspace().await;
    let tenant = world.new_tenant().await;
    world.active(&tenant, "did:web:acme").await;
    assert_eq!(world.call(&format!("DELETE /tenants/{tenant}"), None).await.status, 400);
    world.active(&tenant, "did:web:acme2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_that_is_ordered_while_its_tenant_is_deleted_is_never_left_alone() {
    let world = World::new().await;
    world.dataspace().await;
    let mut outcomes = std::collections::BTreeSet::new();
    for round in 0..60 {
        let tenant = world.new_tenant().await;
        let path = format!("/tenants/{tenant}/participant-profiles");
        let (order, deletion) = (format!("POST {path}"), format!("DELETE /tenants/{tenant}"));
        let body = json!({"identifier": format!("did:web:acme{round}")});
        let ordered = world.call(&order, Some(body));
        // Now the one, now the other has a start.
        let deleted = async {
            for _ in 0..round % 12 {
                tokio::task::yield_now().await;
            }
            world.call(&deletion, None).await
        };
        let (ordered, deleted) = tokio::join!(ordered, deleted);
        let left = world.call(&format!("GET {path}"), None).await.body.as_array().map_or(0, Vec::len);
        let tenants = world.call(&format!("GET /tenants/{tenant}"), None).await.status;
        let outcome = (ordered.status, deleted.status, tenants, left);
        let whole = match (deleted.status, ordered.status) {
            (200, 404 | 409 | 503) => (tenants, left) == (404, 0),
            (400 | 503, 202) => (tenants, left) == (200, 1),
            (400 | 503, 409 | 503) => (tenants, left) == (200, 0),
            _ => false,
        };
        assert!(whole, "{outcome:?} {ordered:?} {deleted:?}");
        if deleted.status == 400 {
            let more = json!({"identifier": format!("did:web:more{round}")});
            assert_eq!(world.call(&order, Some(more)).await.status, 202, "it goes on as before");
        }
        outcomes.insert(outcome);
    }
    assert!(outcomes.len() > 1, "the two met: {outcomes:?}");
}
