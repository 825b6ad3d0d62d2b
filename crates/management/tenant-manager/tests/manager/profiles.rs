//! `/tenants/{tenant}/participant-profiles`: ordering, showing, disposing.

use serde_json::{Value, json};

use crate::world::{World, answer_to};

const DID: &str = "did:web:127.0.0.1%3A7979:acme";

#[tokio::test]
async fn an_order_is_a_pending_profile_and_a_manifest_with_all_that_provisioning_needs() {
    let mut world = World::new().await;
    let (cell, dataspace) = world.dataspace().await;
    let tenant = world.new_tenant().await;
    let path = format!("/tenants/{tenant}/participant-profiles");
    // A whole profile may be posted; what is not of an order is ignored.
    let body = json!({"id": "mine", "version": 3, "identifier": DID, "tenantId": "x", "vpas": [], "error": true,
        "participantRoles": {dataspace.clone(): ["maker"]}, "dataspaceProfileIds": null, "properties": {"name": "Acme"},
        "vpaProperties": {"cfm.issuer": {"participantContextId": "issuer"}}});
    let made = world.call(&format!("POST {path}"), Some(body)).await;
    assert_eq!(made.status, 202, "{made:?}");
    let id = made.id();
    assert_eq!((&made.body["identifier"], &made.body["tenantId"]), (&json!(DID), &json!(tenant)));
    assert_eq!((&made.body["error"], &made.body["version"]), (&json!(false), &json!(1)));
    assert_eq!(made.body["participantRoles"], json!({dataspace: ["maker"]}));
    let vpas = made.body["vpas"].as_array().expect("a list");
    let types: Vec<_> = vpas.iter().filter_map(|vpa| vpa["type"].as_str()).collect();
    assert_eq!(types, ["cfm.connector", "cfm.credentialservice", "cfm.dataplane", "cfm.issuer"]);
    assert!(vpas.iter().all(|vpa| vpa["state"] == "pending" && vpa["cellId"] == cell.as_str()));
    assert!(vpas.iter().all(|vpa| vpa.get("externalCellId").is_none()), "kept, and not shown");
    assert_eq!(vpas[3]["properties"], json!({"participantContextId": "issuer"}));
    let event = world.told("participant.profile.pending", &id).await;
    assert_eq!(event.payload, json!({"participantProfileId": id, "tenantId": tenant}).to_string());

    let manifest = world.manifest().await;
    assert_eq!(manifest.correlation_id, id);
    assert_eq!(manifest.orchestration_type, "cfm.orchestration.vpa.deploy");
    let vpa = |index: usize, properties: Option<Value>| {
        let mut vpa = json!({"id": vpas[index]["id"], "vpaType": vpas[index]["type"], "cellId": cell, "externalCellId": "local"});
        if let Some(properties) = properties {
            vpa["properties"] = properties;
        }
        vpa
    };
    let credential =
        json!({"id": "m", "type": "MembershipCredential", "issuer": "did:web:issuer", "format": "VC1_0_JWT"});
    let expected = json!({
        "cfm.participant.id": DID,
        "cfm.tenant.id": tenant,
        "cfm.dataspace.profiles": ["first"],
        "cfm.vpa.credentials": [credential],
        "cfm.vpa.data": [vpa(0, None), vpa(1, None), vpa(2, None), vpa(3, Some(json!({"participantContextId": "issuer"})))],
    });
    assert_eq!(Value::Object(manifest.payload), expected);

    let shown = world.call_as(&world.reader, &format!("GET {path}/{id}"), None).await.body;
    assert_eq!(shown, made.body);
    assert_eq!(world.call(&format!("GET {path}"), None).await.body, json!([shown]));
}

#[tokio::test]
async fn a_profile_is_seen_in_its_own_tenant_alone() {
    let world = World::new().await;
    world.dataspace().await;
    let (tenant, other) = (world.new_tenant().await, world.new_tenant().await);
    let id = world.made(&format!("/tenants/{tenant}/participant-profiles"), json!({"identifier": DID})).await;
    for method in ["GET", "DELETE"] {
        let line = format!("{method} /tenants/{other}/participant-profiles/{id}");
        assert_eq!(world.call(&line, None).await.error(), (404, "Not found"));
    }
    for nobody in [other.as_str(), "nobody"] {
        let all = world.call(&format!("GET /tenants/{nobody}/participant-profiles"), None).await;
        assert_eq!((all.status, all.body), (200, json!([])));
    }
}

#[tokio::test]
async fn orders_that_cannot_be_carried_out_are_refused_and_leave_nothing_behind() {
    let mut world = World::new().await;
    let tenant = world.new_tenant().await;
    let line = format!("POST /tenants/{tenant}/participant-profiles");
    let order = |more: Value| {
        let mut body = json!({"identifier": DID});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        Some(body)
    };
    let none = world.call(&line, order(json!({}))).await;
    assert!(none.error().0 == 400 && none.error().1.contains("no dataspace profiles found"), "{none:?}");
    let dataspace = world.made("/dataspace-profiles", json!({"dataspaceSpec": {}})).await;
    let none = world.call(&line, order(json!({}))).await;
    assert!(none.error().0 == 400 && none.error().1.contains("no active cell found"), "{none:?}");
    let offline = world.made("/cells", json!({"state": "offline"})).await;
    for (more, at) in [
        (json!({"cellId": "c9"}), "/cellId: Bad request: there is no cell 'c9'"),
        (json!({"cellId": offline}), "is not active"),
        (json!({"dataspaceProfileIds": [dataspace, "d9"]}), "/dataspaceProfileIds: Bad request: there is no"),
        (json!({"identifier": "acme"}), "/identifier: Bad request: 'acme' is not a DID"),
        (json!({"identifier": "did:web:acme#key"}), "/identifier: "),
        (json!({"identifier": null}), "/identifier: "),
        (json!({"vpaProperties": {"cfm.typo": {}}}), "/vpaProperties: Bad request: 'cfm.typo' is none of"),
        (json!({"participantRoles": {"d": "maker"}}), "/participantRoles/d: "),
    ] {
        let answer = world.call(&line, order(more)).await;
        assert!(answer.error().0 == 400 && answer.error().1.contains(at), "{at}: {answer:?}");
    }
    let line = "POST /tenants/nobody/participant-profiles";
    assert_eq!(world.call(line, order(json!({}))).await.error(), (404, "Not found"));
    world.no_manifest();
    assert_eq!(world.events(&tenant).await, ["tenant.created"]);
    let all = world.call(&format!("GET /tenants/{tenant}/participant-profiles"), None).await;
    assert_eq!(all.body, json!([]));
    // Nothing holds the identifier.
    let cell = world.made("/cells", json!({"state": "active"})).await;
    let line = format!("POST /tenants/{tenant}/participant-profiles");
    assert_eq!(world.call(&line, order(json!({"cellId": cell}))).await.status, 202);
}

#[tokio::test]
async fn an_identifier_belongs_to_one_profile_until_that_is_disposed_of() {
    let mut world = World::new().await;
    world.dataspace().await;
    let (tenant, other) = (world.new_tenant().await, world.new_tenant().await);
    let (profile, _) = world.active(&tenant, DID).await;
    let again = || Some(json!({"identifier": DID}));
    let order = |tenant: &str| format!("POST /tenants/{tenant}/participant-profiles");
    for tenant in [&tenant, &other] {
        let answer = world.call(&order(tenant), again()).await;
        assert!(answer.error().0 == 409 && answer.error().1.contains(DID), "{answer:?}");
    }
    world.no_manifest();
    world.call(&format!("DELETE {profile}"), None).await;
    let manifest = world.manifest().await;
    assert_eq!(world.call(&order(&other), again()).await.status, 409, "it is disposing");
    world.respond(&tenant, &answer_to(&manifest, None)).await;
    world.told("participant.profile.disposed", &manifest.correlation_id).await;
    assert_eq!(world.call(&order(&other), again()).await.status, 202);
    assert_eq!(world.call(&order(&tenant), again()).await.status, 409, "the other has it now");
}

#[tokio::test]
async fn of_many_orders_for_one_identifier_at_the_same_time_one_is_accepted() {
    let world = World::new().await;
    world.dataspace().await;
    let (tenant, other) = (world.new_tenant().await, world.new_tenant().await);
    let orders = (0..8).map(|index| {
        let tenant = if index % 2 == 0 { &tenant } else { &other };
        let line = format!("POST /tenants/{tenant}/participant-profiles");
        let world = &world;
        async move { world.call(&line, Some(json!({"identifier": DID}))).await.status }
    });
    let mut statuses = futures::future::join_all(orders).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409, 409, 409, 409, 409, 409]);
}
