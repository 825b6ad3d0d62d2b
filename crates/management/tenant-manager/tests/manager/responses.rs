//! What the Provision Manager answers, and what becomes of a profile by it.

use heddle_provision_manager::OrchestrationManifest;
use serde_json::{Value, json};

use crate::world::{World, answer_to};

const DID: &str = "did:web:acme";

fn states(profile: &Value) -> Vec<&str> {
    let vpas = profile["vpas"].as_array().expect("a list");
    vpas.iter().filter_map(|vpa| vpa["state"].as_str()).collect()
}

impl World {
    /// A pending profile: tenant, path, manifest.
    async fn pending(&mut self) -> (String, String, OrchestrationManifest) {
        self.dataspace().await;
        let tenant = self.new_tenant().await;
        let path = format!("/tenants/{tenant}/participant-profiles");
        let id = self.made(&path, json!({"identifier": DID})).await;
        (tenant, format!("{path}/{id}"), self.manifest().await)
    }

    async fn shown(&self, path: &str) -> Value {
        self.call(&format!("GET {path}"), None).await.body
    }
}

#[tokio::test]
async fn success_makes_it_active_with_what_was_learned() {
    let mut world = World::new().await;
    let (tenant, path, manifest) = world.pending().await;
    world.respond(&tenant, &answer_to(&manifest, None)).await;
    let id = &manifest.correlation_id;
    let event = world.told("participant.profile.active", id).await;
    let payload = json!({"participantProfileId": id, "tenantId": tenant, "participantContextId": "ctx-1"});
    assert_eq!(serde_json::from_str::<Value>(&event.payload).expect("JSON"), payload);
    let profile = world.shown(&path).await;
    assert_eq!(states(&profile), ["active"; 4]);
    assert_eq!(
        profile["properties"]["cfm.vpa.state"],
        json!({"participantContextId": "ctx-1", "holderPid": "h"})
    );
    assert_eq!((&profile["error"], profile.get("errorDetail")), (&json!(false), None));
}

#[tokio::test]
async fn failure_makes_it_an_error_with_the_reason_and_undoing_it_disposes_of_it() {
    let mut world = World::new().await;
    let (tenant, path, manifest) = world.pending().await;
    world.respond(&tenant, &answer_to(&manifest, Some("the issuer says no"))).await;
    let id = &manifest.correlation_id;
    let event = world.told("participant.profile.error", id).await;
    let payload =
        json!({"participantProfileId": id, "tenantId": tenant, "errorDetail": "the issuer says no"});
    assert_eq!(serde_json::from_str::<Value>(&event.payload).expect("JSON"), payload);
    let profile = world.shown(&path).await;
    assert_eq!(states(&profile), ["error"; 4]);
    assert_eq!((&profile["error"], &profile["errorDetail"]), (&json!(true), &json!("the issuer says no")));

    let mut undone = answer_to(&manifest, None);
    undone.manifest_id += "-compensation";
    undone.orchestration_type = "cfm.orchestration.vpa.dispose".to_owned();
    world.respond(&tenant, &undone).await;
    world.told("participant.profile.disposed", id).await;
    let profile = world.shown(&path).await;
    assert_eq!(states(&profile), ["disposed"; 4]);
    assert_eq!(profile["errorDetail"], "the issuer says no");
    // The identifier is free, and the tenant is not held.
    let line = format!("POST /tenants/{tenant}/participant-profiles");
    assert_eq!(world.call(&line, Some(json!({"identifier": DID}))).await.status, 202);
}

#[tokio::test]
async fn a_disposal_is_ordered_once_with_what_deployment_learned() {
    let mut world = World::new().await;
    let (tenant, path, deployed) = world.pending().await;
    let line = format!("DELETE {path}");
    let early = world.call(&line, None).await;
    assert!(early.error().0 == 409 && early.error().1.contains("this one is pending"), "{early:?}");
    world.respond(&tenant, &answer_to(&deployed, None)).await;
    world.told("participant.profile.active", &deployed.correlation_id).await;

    let accepted = world.call(&line, None).await;
    assert_eq!((accepted.status, accepted.body), (202, Value::Null));
    assert_eq!(states(&world.shown(&path).await), ["disposing"; 4]);
    assert_eq!(world.call(&line, None).await.error().0, 409, "once");
    let manifest = world.manifest().await;
    assert_eq!(manifest.orchestration_type, "cfm.orchestration.vpa.dispose");
    assert_ne!(manifest.id, deployed.id);
    let mut expected = deployed.payload.clone();
    expected.insert("participantContextId".to_owned(), json!("ctx-1"));
    expected.insert("holderPid".to_owned(), json!("h"));
    expected.insert("cfm.vpa.state".to_owned(), json!({"participantContextId": "ctx-1", "holderPid": "h"}));
    assert_eq!(manifest.payload, expected);

    world.respond(&tenant, &answer_to(&manifest, None)).await;
    let event = world.told("participant.profile.disposed", &manifest.correlation_id).await;
    let payload = json!({"participantProfileId": manifest.correlation_id, "tenantId": tenant});
    assert_eq!(serde_json::from_str::<Value>(&event.payload).expect("JSON"), payload);
    assert_eq!(states(&world.shown(&path).await), ["disposed"; 4]);
    assert_eq!(world.call(&line, None).await.error().0, 409);
    world.no_manifest();
}

#[tokio::test]
async fn a_failed_disposal_is_told_as_it_is() {
    let mut world = World::new().await;
    world.dataspace().await;
    let tenant = world.new_tenant().await;
    let (path, _) = world.active(&tenant, DID).await;
    world.call(&format!("DELETE {path}"), None).await;
    let manifest = world.manifest().await;
    world.respond(&tenant, &answer_to(&manifest, Some("the cell is dark"))).await;
    world.told("participant.profile.error", &manifest.correlation_id).await;
    let profile = world.shown(&path).await;
    assert_eq!(states(&profile), ["error"; 4]);
    assert_eq!(profile["errorDetail"], "the cell is dark");
    let line = format!("POST /tenants/{tenant}/participant-profiles");
    assert_eq!(world.call(&line, Some(json!({"identifier": DID}))).await.status, 409, "it still has its DID");

    // The way out: what is gone already is no trouble, so the same is ordered again.
    assert_eq!(world.call(&format!("DELETE {path}"), None).await.status, 202);
    let again = world.manifest().await;
    assert_ne!(again.id, manifest.id);
    assert_eq!(again.payload, manifest.payload, "it knows what there is to undo");
    world.respond(&tenant, &answer_to(&again, None)).await;
    world.told("participant.profile.disposed", &again.correlation_id).await;
    assert_eq!(world.call(&line, Some(json!({"identifier": DID}))).await.status, 202, "its DID is free");
}

#[tokio::test]
async fn a_response_twice_changes_nothing() {
    let mut world = World::new().await;
    world.dataspace().await;
    let tenant = world.new_tenant().await;
    let (path, deployed) = world.active(&tenant, DID).await;
    let before = world.shown(&path).await;
    let mut late = answer_to(&deployed, Some("late"));
    world.respond(&tenant, &answer_to(&deployed, None)).await;
    world.respond(&tenant, &late).await;
    // One about nobody, and one of another tenant's worker, are no harm either.
    late.correlation_id = "nobody".to_owned();
    world.respond(&tenant, &late).await;

    world.call(&format!("DELETE {path}"), None).await;
    let disposal = world.manifest().await;
    // Responses about one profile are handled in order: behind this one, the others are over.
    for _ in 0..2 {
        world.respond(&tenant, &answer_to(&disposal, None)).await;
    }
    world.told("participant.profile.disposed", &disposal.correlation_id).await;
    let after = world.shown(&path).await;
    let version = |profile: &Value| profile["version"].as_u64().expect("a number");
    assert_eq!(version(&after), version(&before) + 2, "disposing, disposed, and nothing else");
    let told = [
        "tenant.created",
        "participant.profile.pending",
        "participant.profile.active",
        "participant.profile.disposed",
    ];
    assert_eq!(world.events(&tenant).await, told);
}

#[tokio::test]
async fn a_response_of_another_tenant_changes_nothing() {
    let mut world = World::new().await;
    let (tenant, path, manifest) = world.pending().await;
    let other = world.new_tenant().await;
    world.respond(&other, &answer_to(&manifest, Some("a stranger"))).await;
    world.respond(&tenant, &answer_to(&manifest, None)).await;
    world.told("participant.profile.active", &manifest.correlation_id).await;
    assert_eq!(world.shown(&path).await["error"], false);
    assert_eq!(world.events(&other).await, ["tenant.created"]);
}
