use std::collections::BTreeMap;

use heddle_did::Did;
use serde_json::{Map, json};

use super::*;
use crate::model::{Properties, Vpa};

const LATER: Timestamp = Timestamp::from_seconds(100);

fn profile(state: DeploymentState) -> ParticipantProfile {
    let vpa = Vpa {
        id: "v1".parse().expect("legal"),
        version: 0,
        state,
        state_since: Timestamp::default(),
        vpa_type: "cfm.connector".to_owned(),
        cell_id: "c1".parse().expect("legal"),
        external_cell_id: String::new(),
        properties: Properties::new(),
    };
    ParticipantProfile {
        id: "p1".parse().expect("legal"),
        identifier: Did::parse("did:web:acme").expect("a DID"),
        tenant_id: "t1".parse().expect("legal"),
        participant_roles: BTreeMap::new(),
        dataspace_profile_ids: Vec::new(),
        credentials: Vec::new(),
        issuer_contexts: Vec::new(),
        issuer_context: None,
        runtime_profiles: Vec::new(),
        vpas: vec![vpa],
        properties: Properties::new(),
        error: false,
        error_detail: None,
        orchestration: "o1".parse().expect("legal"),
        answered: None,
    }
}

fn response(manifest: &str, error: Option<&str>) -> OrchestrationResponse {
    let outputs = json!({"participantContextId": "ctx"}).as_object().expect("an object").clone();
    OrchestrationResponse {
        id: "r1".to_owned(),
        manifest_id: manifest.to_owned(),
        correlation_id: "p1".to_owned(),
        orchestration_type: "any".to_owned(),
        success: error.is_none(),
        error_detail: error.map(str::to_owned),
        properties: if error.is_none() { outputs } else { Map::new() },
    }
}

fn settled(profile: &ParticipantProfile, manifest: &str, error: Option<&str>) -> ParticipantProfile {
    settle(profile, &response(manifest, error), LATER).expect("it changes something")
}

#[test]
fn success_makes_a_pending_profile_active_and_a_disposing_one_disposed() {
    let active = settled(&profile(DeploymentState::Pending), "o1", None);
    assert_eq!((active.state(), active.error), (DeploymentState::Active, false));
    assert_eq!(active.properties[VPA_STATE], json!({"participantContextId": "ctx"}));
    assert_eq!((active.vpas[0].version, active.vpas[0].state_since), (1, LATER));

    let disposed = settled(&profile(DeploymentState::Disposing), "o1", None);
    assert_eq!((disposed.state(), disposed.error), (DeploymentState::Disposed, false));
    assert!(!disposed.properties.contains_key(VPA_STATE), "outputs of a disposal are not its state");
}

#[test]
fn a_failure_is_an_error_with_its_sentence_whatever_was_ordered() {
    for state in [DeploymentState::Pending, DeploymentState::Disposing] {
        let failed = settled(&profile(state), "o1", Some("no room"));
        assert_eq!((failed.state(), failed.error), (DeploymentState::Error, true));
        assert_eq!(failed.error_detail.as_deref(), Some("no room"));
    }
    let mut mute = response("o1", Some(""));
    mute.error_detail = None;
    let failed = settle(&profile(DeploymentState::Pending), &mute, LATER).expect("a change");
    assert!(failed.error_detail.is_some_and(|detail| !detail.is_empty()));
}

#[test]
fn a_compensation_disposes_of_what_failed_and_keeps_the_reason() {
    let failed = settled(&profile(DeploymentState::Pending), "o1", Some("no room"));
    let undone = settled(&failed, "o1-compensation", None);
    assert_eq!((undone.state(), undone.error), (DeploymentState::Disposed, true));
    assert_eq!(undone.error_detail.as_deref(), Some("no room"));

    let stuck = settled(&failed, "o1-compensation", Some("no door"));
    assert_eq!(stuck.state(), DeploymentState::Error);
    let detail = stuck.error_detail.as_deref().expect("a reason");
    assert!(detail.contains("no room") && detail.contains("no door"), "{detail}");
}

#[test]
fn a_response_again_or_to_an_earlier_order_changes_nothing() {
    let pending = profile(DeploymentState::Pending);
    let failed = settled(&pending, "o1", Some("no room"));
    let cases = [
        (settled(&pending, "o1", None), "o1", None),
        (settled(&pending, "o1", None), "o1", Some("late")),
        (failed.clone(), "o1", Some("no room")),
        (failed.clone(), "o1", None),
        (failed.clone(), "o11", None),
        (failed.clone(), "o1-other", None),
        (settled(&failed, "o1-compensation", None), "o1-compensation", None),
        (settled(&failed, "o1-compensation", None), "o1", Some("no room")),
        (settled(&failed, "o1-compensation", Some("x")), "o1-compensation", Some("x")),
        (settled(&failed, "o1-compensation", Some("x")), "o1", None),
        (settled(&profile(DeploymentState::Disposing), "o1", None), "o1", None),
        (pending.clone(), "o0", None),
        (pending.clone(), "o11", None),
        (pending.clone(), "o1-other", None),
        (pending, "o1-compensation", None),
        (profile(DeploymentState::Active), "o1-compensation", None),
        (profile(DeploymentState::Active), "o1", Some("late")),
        (profile(DeploymentState::Disposed), "o1", Some("late")),
    ];
    for (profile, manifest, error) in cases {
        let next = settle(&profile, &response(manifest, error), LATER);
        assert_eq!(next, None, "{:?} {manifest} {error:?}", profile.state());
    }
}
