//! An issuer, a holder and a credential for the tests of this crate.

use heddle_clock::Timestamp;
use heddle_credentials::{CredentialDraft, StatusEntry, StatusKind, StatusPurpose, vc11};
use heddle_jose::{Algorithm, Header, SoftwareKey, sign_compact};
use serde_json::{Value, json};

pub const ISSUER: &str = "did:web:issuer.example";
pub const HOLDER: &str = "did:web:holder.example";
pub const LIST: &str = "https://issuer.example/statuslist/1";

/// The time of the tests, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW + seconds)
}

pub fn kid(did: &str) -> String {
    format!("{did}#key-1")
}

pub fn draft() -> CredentialDraft {
    CredentialDraft {
        id: "urn:uuid:6f1c8a0e-0000-4000-8000-000000000001".to_owned(),
        contexts: Vec::new(),
        types: vec!["MembershipCredential".to_owned()],
        issuer: ISSUER.to_owned(),
        subject: HOLDER.to_owned(),
        claims: json!({ "level": "gold" }).as_object().expect("an object").clone(),
        issued_at: at(-10),
        valid_until: at(600),
        status: Some(entry(7)),
        schema: None,
    }
}

pub fn entry(index: u64) -> StatusEntry {
    StatusEntry {
        id: None,
        kind: StatusKind::Bitstring,
        purpose: StatusPurpose::Revocation,
        index,
        list_url: LIST.to_owned(),
    }
}

pub fn key() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::Es256).expect("entropy")
}

pub fn issue(key: &SoftwareKey, draft: &CredentialDraft) -> String {
    let unsigned = vc11::unsigned(draft, &kid(&draft.issuer), key.algorithm()).expect("writes");
    unsigned.sign(key).expect("signs")
}

/// A token with any claims, signed with a key of `did`.
pub fn sign(key: &SoftwareKey, did: &str, claims: &Value) -> String {
    sign_compact(key, Header::jwt(key.algorithm(), kid(did)), claims).expect("signs")
}
