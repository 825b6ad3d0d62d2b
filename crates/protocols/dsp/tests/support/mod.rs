//! What the tests share: parties, policies and addresses.

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
