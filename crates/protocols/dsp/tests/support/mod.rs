//! What the tests share: parties, policies, and the published schemas where they are at hand.
#![expect(dead_code, reason = "each test binary uses a part of it")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use heddle_clock::Timestamp;
use heddle_dsp::{
    negotiation::{self, Negotiation},
    process::{PeerPid, Role},
    transfer::{self, Flow, TransferProcess},
    wire::{DataAddress, EndpointProperty, Is},
};
use heddle_ids::{
    AssetId, MessageId, NegotiationId, ParticipantId, ProfileName, SharedAgreementId, TransferProcessId,
};
use heddle_odrl::{Policy, PolicyKind, Rule};
use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

pub const CONSUMER: &str = "did:web:consumer.example";
pub const PROVIDER: &str = "did:web:provider.example";
pub const DATASET: &str = "urn:asset:1";
pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub fn message_id(text: impl Into<String>) -> MessageId {
    MessageId::parse(text).expect("legal")
}

pub fn participant(role: Role) -> ParticipantId {
    ParticipantId::parse(if role == Role::Consumer { CONSUMER } else { PROVIDER }).expect("legal")
}

pub fn pid(role: Role) -> PeerPid {
    PeerPid::parse(role, format!("urn:pid:{role}")).expect("legal")
}

pub fn negotiation(role: Role) -> Negotiation {
    let setup = negotiation::Setup {
        id: NegotiationId::parse(pid(role).as_str()).expect("legal"),
        role,
        participant: participant(role),
        counter_party: participant(role.other()),
        profile: ProfileName::parse("dataspace").expect("legal"),
        dataset: AssetId::parse(DATASET).expect("legal"),
        counter_party_address: format!("https://{}.example/dsp", role.other()),
    };
    Negotiation::new(setup, NOW)
}

pub fn transfer(role: Role, flow: Flow) -> TransferProcess {
    let setup = transfer::Setup {
        id: TransferProcessId::parse(pid(role).as_str()).expect("legal"),
        role,
        counter_party: participant(role.other()),
        profile: ProfileName::parse("dataspace").expect("legal"),
        agreement_id: SharedAgreementId::parse("urn:agreement:1").expect("legal"),
        dataset: AssetId::parse(DATASET).expect("legal"),
        format: "HttpData-PULL".to_owned(),
        flow,
        counter_party_address: format!("https://{}.example/dsp", role.other()),
    };
    TransferProcess::new(setup, NOW)
}

/// An offer about [`DATASET`] whose terms differ by `action`.
pub fn offer(action: &str) -> Policy {
    let mut policy = Policy::new(PolicyKind::Offer);
    policy.id = Some(format!("urn:offer:{action}"));
    policy.target = Some(DATASET.to_owned());
    policy.permission = vec![Rule::new(action)];
    policy
}

/// The agreement to `offer`.
pub fn agreement(offer: &Policy) -> Policy {
    let mut policy = offer.clone();
    policy.kind = PolicyKind::Agreement;
    policy.id = Some("urn:agreement:1".to_owned());
    policy.assigner = Some(PROVIDER.to_owned());
    policy.assignee = Some(CONSUMER.to_owned());
    policy.timestamp = Some("2026-01-31T12:00:00Z".to_owned());
    policy
}

pub fn address(token: &str) -> DataAddress {
    DataAddress {
        kind: Is::new(),
        endpoint_type: "https://w3id.org/idsa/v4.1/HTTP".to_owned(),
        endpoint: Some("https://provider.example/public".to_owned()),
        endpoint_properties: vec![
            EndpointProperty::new("authorization", token),
            EndpointProperty::new("authType", "bearer"),
        ],
    }
}

/// The published schemas and examples of DSP 2025-1, where they lie beside the checkout.
pub struct Published {
    root: PathBuf,
    schemas: BTreeMap<String, Value>,
}

impl Published {
    /// None, with a line that says so, where they are absent.
    pub fn find() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/spec/dsp");
        if !root.is_dir() {
            #[expect(clippy::print_stderr, reason = "a skipped test says so")]
            {
                eprintln!("skipped: the published schemas are not at hand");
            }
            return None;
        }
        let mut schemas = BTreeMap::new();
        for folder in ["common", "catalog", "negotiation", "transfer"] {
            for entry in fs::read_dir(root.join(folder)).expect("folder") {
                let path = entry.expect("entry").path();
                if path.extension().is_some_and(|extension| extension == "json") {
                    // Some of the published references lack the '/' that a JSON pointer begins with.
                    let text = fs::read_to_string(&path).expect("text").replace("#definitions/", "#/definitions/");
                    let schema: Value = serde_json::from_str(&text).expect("JSON");
                    let id = schema["$id"].as_str().expect("every schema has an id").to_owned();
                    schemas.insert(id, schema);
                }
            }
        }
        Some(Self { root, schemas })
    }

    /// An example, such as `negotiation/example/contract-offer-message.json`.
    pub fn example(&self, path: &str) -> Value {
        let text = fs::read_to_string(self.root.join(path)).expect("example");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Every example of a folder.
    pub fn examples(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(folder).join("example")).expect("folder");
        let mut names: Vec<String> = entries
            .map(|entry| format!("{folder}/example/{}", entry.expect("entry").file_name().to_string_lossy()))
            .collect();
        names.sort();
        names
    }

    /// The validator of a schema, such as `negotiation/contract-offer-message-schema.json`.
    pub fn validator(&self, path: &str) -> Validator {
        let id = format!("https://w3id.org/dspace/2025/1/{path}");
        let schema = self.schemas.get(&id).unwrap_or_else(|| panic!("no schema {id}"));
        let retriever = Stored(self.schemas.clone());
        jsonschema::options().with_retriever(retriever).build(schema).expect("a valid schema")
    }

    /// Fails unless `value` is valid.
    pub fn assert_valid(&self, schema: &str, value: &Value) {
        let validator = self.validator(schema);
        let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{schema}: {errors:?}\n{value:#}");
    }
}

struct Stored(BTreeMap<String, Value>);

impl Retrieve for Stored {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.get(uri.as_str()).cloned().ok_or_else(|| format!("no schema {uri}").into())
    }
}
