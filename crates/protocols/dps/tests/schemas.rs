//! What we write is valid against the published schemas of DPS 1.0, wherever these lie beside the checkout.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use heddle_clock::Timestamp;
use heddle_dps::{
    Direction, State, TransferProfile,
    flow::{Event, Flow, Progress, Side, Step, apply},
    wire::{
        AgreementResponse, AuthorizationEntry, ControlPlaneRegistrationMessage, DataAddress,
        DataFlowBaseMessage, DataFlowPrepareMessage, DataFlowResumeMessage, DataFlowStartMessage,
        DataFlowStartedNotificationMessage, DataFlowStatusMessage, DataFlowStatusResponseMessage,
        DataFlowSuspendMessage, DataFlowTerminateMessage, DataPlaneRegistrationMessage, Message,
        ReceivedStatus, parse,
    },
};
use heddle_ids::{
    AssetId, ControlPlaneId, DataFlowId, DataPlaneId, MessageId, ParticipantId, SharedAgreementId,
};
use jsonschema::{Retrieve, Uri};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Finds schemas by their published address in the folder that holds them.
struct Schemas(PathBuf);

impl Schemas {
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn beside_the_checkout() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/spec");
        let found = root.join("dps").is_dir();
        if !found {
            println!("skipped: the published schemas are not beside this checkout");
        }
        found.then_some(Self(root))
    }

    fn read(&self, path: &str) -> Result<Value, Box<dyn Error + Send + Sync>> {
        Ok(serde_json::from_slice(&fs::read(self.0.join(path))?)?)
    }

    /// The complaints of a schema about a value.
    fn complaints(&self, schema: &str, value: &impl Serialize) -> Vec<String> {
        let schema = self.read(schema).expect("the schema is readable");
        let retriever = Self(self.0.clone());
        let validator = jsonschema::options().with_retriever(retriever).build(&schema).expect("a schema");
        let value = serde_json::to_value(value).expect("serialises");
        validator.iter_errors(&value).map(|error| format!("{} in {value}", error)).collect()
    }
}

impl Retrieve for Schemas {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let published =
            [("https://w3id.org/dspace-sig/v1.0/", "dps/"), ("https://w3id.org/dspace/2025/1/", "dsp/")];
        let path =
            published.iter().find_map(|(from, to)| Some(format!("{to}{}", uri.as_str().strip_prefix(from)?)));
        self.read(&path.ok_or_else(|| format!("{uri} is not published with DPS"))?)
    }
}

fn id<T>(parsed: Result<T, heddle_ids::InvalidId>) -> T {
    parsed.expect("an id")
}

fn base(direction: Direction) -> DataFlowBaseMessage {
    DataFlowBaseMessage {
        message_id: id(MessageId::parse("m-1")),
        participant_id: id(ParticipantId::parse("did:web:us")),
        counter_party_id: id(ParticipantId::parse("did:web:them")),
        dataspace_context: "ds".into(),
        data_flow_id: id(DataFlowId::parse("tp-1")),
        agreement_id: id(SharedAgreementId::parse("a-1")),
        dataset_id: id(AssetId::parse("asset-1")),
        profile: TransferProfile::http(direction),
        claims: Map::new(),
        labels: vec!["gold".into()],
        metadata: Map::new(),
        data_address: None,
    }
}

fn address() -> DataAddress {
    DataAddress::new("https://w3id.org/dspace-sig/profile/http-pull", "https://provider.example/data")
        .with("authorization", "TOKEN")
        .with("authType", "bearer")
}

#[track_caller]
fn check(schemas: &Schemas, name: &str, message: &impl Serialize) {
    assert_eq!(schemas.complaints(&format!("dps/{name}.schema.json"), message), Vec::<String>::new());
}

/// Valid, and read back as the same.
#[track_caller]
fn round_trip<M: Message + Serialize + PartialEq + std::fmt::Debug>(
    schemas: &Schemas,
    name: &str,
    message: &M,
) {
    check(schemas, name, message);
    assert_eq!(&parse::<M>(&serde_json::to_vec(message).expect("serialises")).expect("is read"), message);
}

#[test]
fn requests_are_valid_and_read_back() {
    let Some(schemas) = Schemas::beside_the_checkout() else { return };
    round_trip(&schemas, "DataFlowPrepareMessage", &DataFlowPrepareMessage(base(Direction::Pull)));
    let start = DataFlowBaseMessage { data_address: Some(address()), ..base(Direction::Push) };
    round_trip(&schemas, "DataFlowStartMessage", &DataFlowStartMessage(start));
    let message_id = id(MessageId::parse("m-2"));
    for data_address in [None, Some(address())] {
        let started = DataFlowStartedNotificationMessage {
            message_id: message_id.clone(),
            data_address: data_address.clone(),
        };
        round_trip(&schemas, "DataFlowStartedNotificationMessage", &started);
        let resume = DataFlowResumeMessage { message_id: message_id.clone(), data_address };
        round_trip(&schemas, "DataFlowResumeMessage", &resume);
    }
    let reason = Some("any".to_owned());
    let suspend = DataFlowSuspendMessage { message_id: message_id.clone(), reason: reason.clone() };
    round_trip(&schemas, "DataFlowSuspendMessage", &suspend);
    round_trip(&schemas, "DataFlowTerminateMessage", &DataFlowTerminateMessage { message_id, reason });
}

#[test]
fn answers_and_callbacks_are_valid() {
    let Some(schemas) = Schemas::beside_the_checkout() else { return };
    let now = Timestamp::from_seconds(0);
    let flow = Flow::open(&base(Direction::Pull), Side::Provider, now);
    let start = Event::Start { given: None, progress: Progress::Done { issued: Some(address()) } };
    let message_id = id(MessageId::parse("m-1"));
    let Ok(Step::Moved { flow, answer, .. }) = apply(&flow, start, Some(&message_id), now) else {
        panic!("starts")
    };
    let answer = answer.to_message(flow.id()).expect("a start has an id");
    check(&schemas, "DataFlowStatusMessage", &answer);
    let received: ReceivedStatus = parse(&serde_json::to_vec(&answer).expect("serialises")).expect("is read");
    assert_eq!((received.state, received.data_address), (Some(State::Started), Some(address())));
    let errored = flow.errored("disk full").to_message(message_id, flow.id());
    check(&schemas, "DataFlowStatusMessage", &errored);
    let status = DataFlowStatusResponseMessage { data_flow_id: flow.id().clone(), state: flow.state() };
    round_trip(&schemas, "DataFlowStatusResponseMessage", &status);
    for state in State::ALL {
        check(&schemas, "DataFlowStatusMessage", &DataFlowStatusMessage { state, ..answer.clone() });
    }
}

#[test]
fn registrations_are_valid_and_read_back() {
    let Some(schemas) = Schemas::beside_the_checkout() else { return };
    let authorization = AuthorizationEntry::new("oauth2_client_credentials").with("clientSecret", "s3cr3t");
    check(&schemas, "AuthorizationEntry", &authorization);
    let data_plane = DataPlaneRegistrationMessage {
        dataplane_id: id(DataPlaneId::parse("dp")),
        endpoint: "https://dp.example/api/dataplane".into(),
        profiles: vec![TransferProfile::http(Direction::Pull).name()],
        labels: vec!["north".into()],
        authorization: Some(authorization.clone()),
    };
    round_trip(&schemas, "DataPlaneRegistrationMessage", &data_plane);
    let control_plane = ControlPlaneRegistrationMessage {
        controlplane_id: id(ControlPlaneId::parse("cp")),
        endpoint: "https://cp.example/api/signaling".into(),
        authorization: Some(authorization),
    };
    round_trip(&schemas, "ControlPlaneRegistrationMessage", &control_plane);
}

#[test]
fn an_agreement_response_is_valid() {
    let Some(schemas) = Schemas::beside_the_checkout() else { return };
    let agreement = json!({
        "@id": "urn:uuid:a-1", "@type": "Agreement", "target": "urn:uuid:asset-1", "timestamp": "2026-01-01T01:00:00Z",
        "assigner": "urn:connector:provider", "assignee": "urn:connector:consumer", "permission": [{"action": "use"}],
    });
    check(&schemas, "AgreementResponse", &AgreementResponse::new(agreement));
}

#[test]
fn an_address_is_valid_for_the_http_profile_and_a_wrong_one_is_noticed() {
    let Some(schemas) = Schemas::beside_the_checkout() else { return };
    let schema = "dps/profiles/http-data-address-schema.json";
    assert_eq!(schemas.complaints(schema, &address()), Vec::<String>::new());
    let insecure =
        DataAddress::new("https://w3id.org/dspace-sig/profile/http-pull", "http://provider.example");
    assert!(!schemas.complaints(schema, &insecure).is_empty());
    assert!(
        !schemas.complaints("dps/DataFlowStatusMessage.schema.json", &json!({"state": "STARTED"})).is_empty()
    );
}
