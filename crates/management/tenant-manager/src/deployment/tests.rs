use serde_json::json;

use super::*;
use crate::model::{DataspaceDeployment, DataspaceSpec};

fn now() -> Timestamp {
    Timestamp::from_seconds(1_769_860_800)
}

fn cell(id: &str, state: DeploymentState) -> Cell {
    let (id, external_id) = (id.parse().expect("legal"), format!("{id}-outside"));
    Cell { id, external_id, state, state_since: now(), properties: Properties::new() }
}

fn spec(id: &str, role: Option<&str>) -> CredentialSpec {
    let text = |text: &str| text.to_owned();
    CredentialSpec {
        id: text(id),
        credential_type: text("MembershipCredential"),
        issuer: text("did:web:issuer"),
        format: text("VC1_0_JWT"),
        role: role.map(text),
    }
}

/// Deployed to these cells, in these states.
fn dataspace(
    id: &str,
    on: &[(&str, DeploymentState)],
    credential_specs: Vec<CredentialSpec>,
) -> DataspaceProfile {
    let deployment = |(cell, state): &(&str, DeploymentState)| DataspaceDeployment {
        id: format!("{id} on {cell}"),
        state: *state,
        state_since: now(),
        cell_id: cell.parse().expect("legal"),
        external_cell_id: String::new(),
    };
    DataspaceProfile {
        id: id.parse().expect("legal"),
        dataspace_spec: DataspaceSpec { protocol_stack: Vec::new(), credential_specs },
        artifacts: Vec::new(),
        deployments: on.iter().map(deployment).collect(),
        properties: Properties::new(),
    }
}

fn order(cell: Option<&str>, dataspaces: &[&str]) -> Order {
    Order {
        identifier: Did::parse("did:web:acme").expect("a DID"),
        cell: cell.map(str::to_owned),
        dataspaces: dataspaces.iter().map(|&id| id.to_owned()).collect(),
        roles: BTreeMap::new(),
        vpa_properties: BTreeMap::new(),
        properties: Properties::new(),
    }
}

fn placed(order: &Order) -> Result<(String, Vec<String>), CannotDeploy> {
    use DeploymentState::{Active, Offline};
    let dataspaces = vec![
        dataspace("d1", &[("gone", Active), ("off", Active), ("c2", Offline), ("c3", Active)], vec![]),
        dataspace("d2", &[("c1", Active)], vec![]),
        dataspace("d3", &[], vec![]),
    ];
    let cells = vec![cell("off", Offline), cell("c1", Active), cell("c2", Active), cell("c3", Active)];
    let place = place(order, dataspaces, cells)?;
    Ok((place.cell.id.to_string(), place.dataspaces.iter().map(|one| one.id.to_string()).collect()))
}

#[test]
fn the_cell_is_the_one_that_is_named_or_the_first_active_one_where_a_wanted_dataspace_works() {
    let on = |cell: &str, ids: &[&str]| Ok((cell.to_owned(), ids.iter().map(|&id| id.to_owned()).collect()));
    assert_eq!(placed(&order(None, &[])), on("c1", &["d1", "d2", "d3"]));
    assert_eq!(placed(&order(None, &["d1"])), on("c3", &["d1"]), "neither off nor c2 works for d1");
    assert_eq!(placed(&order(None, &["d1", "d2"])), on("c1", &["d1", "d2"]));
    assert_eq!(placed(&order(Some("c2"), &["d1"])), on("c2", &["d1"]), "the name decides");
}

#[test]
fn what_cannot_be_placed_is_refused_with_the_reason() {
    let text = str::to_owned;
    assert_eq!(placed(&order(None, &["d3"])), Err(CannotDeploy::NoCell));
    assert_eq!(placed(&order(None, &["d9"])), Err(CannotDeploy::UnknownProfile(text("d9"))));
    assert_eq!(placed(&order(Some("c9"), &[])), Err(CannotDeploy::UnknownCell(text("c9"))));
    assert_eq!(placed(&order(Some("off"), &["d1"])), Err(CannotDeploy::InactiveCell(text("off"))));
    let nothing = place(&order(None, &[]), Vec::new(), vec![cell("c1", DeploymentState::Active)]);
    assert_eq!(nothing.map(|_| ()), Err(CannotDeploy::NoProfile));
}

#[test]
fn credentials_follow_the_roles_in_their_own_dataspace_and_come_once() {
    let both = || spec("both", None);
    let d1 =
        vec![both(), spec("maker", Some("maker")), spec("seller", Some("seller")), spec("all", Some(""))];
    let dataspaces = [dataspace("d1", &[], d1), dataspace("d2", &[], vec![both(), spec("x", Some("maker"))])];
    let roles = BTreeMap::from([("d1".to_owned(), vec!["maker".to_owned()])]);
    let ids: Vec<_> = credentials(&dataspaces, &roles).into_iter().map(|spec| spec.id).collect();
    assert_eq!(ids, ["both", "maker", "all"]);
    let ids: Vec<_> = credentials(&dataspaces, &BTreeMap::new()).into_iter().map(|spec| spec.id).collect();
    assert_eq!(ids, ["both", "all"]);
}

#[test]
fn a_profile_has_one_pending_agent_of_each_type_and_no_state_that_a_client_made_up() {
    let mut order = order(None, &[]);
    let given = |value: serde_json::Value| value.as_object().expect("an object").clone();
    order.properties = given(json!({"name": "Acme", VPA_STATE: {"participantContextId": "mine"}}));
    order.vpa_properties.insert("cfm.dataplane".to_owned(), given(json!({"a": 1})));
    let place =
        Place { cell: cell("c1", DeploymentState::Active), dataspaces: vec![dataspace("d1", &[], vec![])] };
    let ids = NewIds::random(&Environment::system());
    let made = profile(order, "t1".parse().expect("legal"), place, ids, now());
    assert_eq!(serde_json::Value::Object(made.properties.clone()), json!({"name": "Acme"}));
    let types: Vec<_> = made.vpas.iter().map(|vpa| vpa.vpa_type.as_str()).collect();
    assert_eq!(types, VPA_TYPES);
    assert!(
        made.vpas.iter().all(|vpa| vpa.state == DeploymentState::Pending && vpa.cell_id.as_str() == "c1")
    );
    let properties: Vec<_> = made.vpas.iter().map(|vpa| vpa.properties.len()).collect();
    assert_eq!(properties, [0, 0, 1, 0]);
    let distinct: std::collections::BTreeSet<_> = made.vpas.iter().map(|vpa| &vpa.id).collect();
    assert_eq!(distinct.len(), 4);
}

#[test]
fn every_issuer_of_the_dataspaces_is_told_of_the_participant_once() {
    let of = |id: &str, issuer: Option<&str>| {
        let mut one = dataspace(id, &[], vec![]);
        one.properties.extend(issuer.map(|issuer| ("issuerContextId".to_owned(), json!(issuer))));
        one
    };
    let all = [of("d1", Some("a")), of("d2", None), of("d3", Some("b")), of("d4", Some("a"))];
    assert_eq!(issuer_contexts(&all), ["a", "b"]);
    assert!(issuer_contexts(&all[1..2]).is_empty());
}
