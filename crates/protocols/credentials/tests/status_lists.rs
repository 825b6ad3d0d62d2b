//! Status lists: bits, encoding, publication and what they say of a credential.

mod common;

use std::{collections::BTreeMap, io::Write as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{ISSUER, LIST, NOW, at, draft, entry, issue, key, kid, sign};
use flate2::{Compression, write::GzEncoder};
use heddle_credentials::{
    Check, CredentialError, StatusEntry, StatusKind, StatusList, StatusListCredential, StatusPurpose,
    Verdict, check_status,
    status::{LIST_BYTES_MAX, StatusListDraft, parse_status_credential, status_credential_unsigned},
    vc11,
};
use heddle_jose::SoftwareKey;
use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use serde_json::{Value, json};

fn gzip(bytes: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    URL_SAFE_NO_PAD.encode(encoder.finish().expect("memory"))
}

fn list_draft(purpose: StatusPurpose) -> StatusListDraft {
    StatusListDraft {
        url: LIST.to_owned(),
        issuer: ISSUER.to_owned(),
        kind: StatusKind::Bitstring,
        purpose,
        issued_at: at(-60),
        valid_until: at(3600),
    }
}

fn publish(key: &SoftwareKey, draft: &StatusListDraft, list: &StatusList) -> StatusListCredential {
    let unsigned =
        status_credential_unsigned(draft, list, &kid(&draft.issuer), key.algorithm()).expect("writes");
    let token = unsigned.sign(key).expect("signs");
    parse_status_credential(&token).expect("reads").verify(&key.public_jwk(None)).expect("verifies")
}

fn checked(entry: StatusEntry, list: Option<StatusListCredential>, seconds: i64) -> Check {
    let mut draft = draft();
    draft.status = Some(entry);
    let credential = vc11::parse(&issue(&key(), &draft)).expect("reads").credential().clone();
    let lists: BTreeMap<_, _> = list.into_iter().map(|list| (LIST.to_owned(), list)).collect();
    let mut checks = check_status(&credential, &lists, at(seconds), Duration::ZERO);
    assert_eq!(checks.len(), 1);
    checks.remove(0)
}

fn reason(check: &Check) -> &str {
    match &check.verdict {
        Verdict::Failed(reason) => reason,
        Verdict::Passed => "",
    }
}

#[test]
fn index_zero_is_the_leftmost_bit() {
    let list = StatusList::decode(&gzip(&[0b1000_0001, 0b0100_0000]), LIST_BYTES_MAX).expect("reads");
    let set: Vec<u64> = (0..list.length()).filter(|index| list.get(*index) == Ok(true)).collect();
    assert_eq!(set, [0, 7, 9]);
    assert_eq!(list.get(16), Err(CredentialError::IndexOutOfRange { index: 16, length: 16 }));
    assert_eq!(list.get(u64::MAX), Err(CredentialError::IndexOutOfRange { index: u64::MAX, length: 16 }));
}

#[test]
fn both_kinds_are_written_and_read() {
    let mut list = StatusList::new(1).expect("small");
    assert_eq!(list.length(), 131_072, "an entry hides among others");
    list.set(0).expect("inside");
    list.set(131_071).expect("inside");
    assert!(list.set(131_072).is_err());
    for kind in [StatusKind::StatusList2021, StatusKind::Bitstring] {
        let text = list.encode(kind);
        assert_eq!(text.starts_with('u'), kind == StatusKind::Bitstring);
        assert_eq!(StatusList::decode(&text, LIST_BYTES_MAX), Ok(list.clone()));
    }
    list.clear(0).expect("inside");
    assert_eq!(list.get(0), Ok(false));
    assert!(StatusList::new(LIST_BYTES_MAX as u64 * 8 + 1).is_err());
}

#[test]
fn a_list_of_another_implementation_is_read() {
    // 16,384 entries, index 1 set; Python 3: base64.urlsafe_b64encode(gzip.compress(bytes([64]) + bytes(2047), mtime=0)).
    let text = include_str!("fixtures/status-list.txt").trim();
    for text in [text.to_owned(), format!("u{text}"), format!("{text}==")] {
        let list = StatusList::decode(&text, LIST_BYTES_MAX).expect("reads");
        assert_eq!(list.length(), 16_384);
        assert_eq!((list.get(0), list.get(1), list.get(2)), (Ok(false), Ok(true), Ok(false)));
    }
    let bytes: Vec<u8> = (0..=255).collect();
    let standard = gzip(&bytes).replace('-', "+").replace('_', "/");
    assert!(standard.contains('+') && standard.contains('/'), "the alphabets differ");
    assert_eq!(StatusList::decode(&standard, 1000), StatusList::decode(&gzip(&bytes), 1000));
    assert_eq!(StatusList::decode(&standard, 1000).expect("reads").length(), 2048);
}

#[test]
fn a_bomb_does_not_go_off() {
    let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
    assert!(bomb.len() < 100_000, "small on the wire");
    assert!(matches!(StatusList::decode(&bomb, LIST_BYTES_MAX), Err(CredentialError::StatusList(_))));
    // What follows the limit is not even unpacked: that this stream breaks off later is never noticed.
    let broken: &str = &bomb[..bomb.len() / 8 * 4];
    let refusal = StatusList::decode(broken, LIST_BYTES_MAX);
    assert_eq!(refusal, Err(CredentialError::StatusList("it is too large")));
    let fitting = gzip(&[0; 1000]);
    assert!(StatusList::decode(&fitting, 1000).is_ok());
    assert!(StatusList::decode(&fitting, 999).is_err());
    assert!(StatusList::decode(&"A".repeat(10_000), 1000).is_err());
}

#[test]
fn what_is_no_list_is_refused() {
    let whole = gzip(&[1; 64]);
    for text in ["", "u", "H4sI", "!!!!", "AAAA", &whole[..whole.len() - 8], &gzip(&[])] {
        assert!(matches!(StatusList::decode(text, 1000), Err(CredentialError::StatusList(_))), "{text}");
    }
}

#[test]
fn a_clear_bit_passes_and_a_set_bit_does_not() {
    let key = key();
    for (purpose, word) in [(StatusPurpose::Revocation, "revoked"), (StatusPurpose::Suspension, "suspended")]
    {
        for kind in [StatusKind::StatusList2021, StatusKind::Bitstring] {
            let mut list = StatusList::new(0).expect("small");
            list.set(7).expect("inside");
            let draft = StatusListDraft { kind, ..list_draft(purpose) };
            let published = publish(&key, &draft, &list);
            let entry = |index| StatusEntry { purpose, kind, ..entry(index) };
            assert_eq!(checked(entry(6), Some(published.clone()), 0).verdict, Verdict::Passed);
            assert!(reason(&checked(entry(7), Some(published), 0)).contains(word));
        }
    }
}

#[test]
fn a_status_that_cannot_be_known_is_not_good() {
    let key = key();
    let list = StatusList::new(0).expect("small");
    let published = |draft: StatusListDraft| Some(publish(&key, &draft, &list));
    let good = || list_draft(StatusPurpose::Revocation);
    assert!(checked(entry(1), published(good()), 0).passed());
    assert!(reason(&checked(entry(1), None, 0)).contains("not available"));
    assert!(reason(&checked(entry(131_072), published(good()), 0)).contains("not among them"));
    assert!(
        reason(&checked(entry(1), published(list_draft(StatusPurpose::Suspension)), 0)).contains("purpose")
    );
    assert!(reason(&checked(entry(1), published(good()), 3600)).contains("expired"));
    assert!(reason(&checked(entry(1), published(good()), -61)).contains("not valid before"));
    let foreign = StatusListDraft { issuer: "did:web:attacker.example".to_owned(), ..good() };
    assert!(reason(&checked(entry(1), published(foreign), 0)).contains("not by its issuer"));
}

#[test]
fn a_list_is_signed_by_the_issuer_that_it_names() {
    let (issuer, attacker) = (key(), key());
    let list = StatusList::new(0).expect("small");
    let draft = list_draft(StatusPurpose::Revocation);
    let unsigned =
        |kid: &str| status_credential_unsigned(&draft, &list, kid, issuer.algorithm()).expect("writes");
    let token = unsigned(&kid(ISSUER)).sign(&attacker).expect("signs");
    assert!(parse_status_credential(&token).expect("reads").verify(&issuer.public_jwk(None)).is_err());
    let token = unsigned(&kid("did:web:attacker.example")).sign(&attacker).expect("signs");
    let result = parse_status_credential(&token).expect("reads").verify(&attacker.public_jwk(None));
    assert!(
        matches!(result, Err(CredentialError::StatusList(_))),
        "the key is the attacker's, and named as such"
    );
}

#[test]
fn the_largest_list_can_be_published() {
    let key = key();
    let mut list = StatusList::new(LIST_BYTES_MAX as u64 * 8).expect("the limit");
    // Bits that hardly compress.
    let mut state = 1_u64;
    for index in (0..list.length()).step_by(2) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if state >> 63 == 1 {
            list.set(index + (state >> 62 & 1)).expect("inside");
        }
    }
    assert_eq!(publish(&key, &list_draft(StatusPurpose::Revocation), &list).list(), &list);
}

fn entry_of(entry: &Value) -> Result<Vec<StatusEntry>, CredentialError> {
    let claims = json!({
        "iss": ISSUER, "nbf": NOW,
        "vc": { "type": "M", "issuer": ISSUER, "credentialSubject": { "id": "did:web:h" }, "credentialStatus": entry },
    });
    vc11::parse(&sign(&key(), ISSUER, &claims)).map(|parsed| parsed.credential().status.clone())
}

#[test]
fn an_index_is_a_number_as_text_or_not() {
    let with_index = |index: Value| {
        entry_of(&json!({
            "id": "8e2c", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": index,
            "statusListCredential": LIST,
        }))
    };
    for index in [json!(94_567), json!("94567")] {
        assert_eq!(with_index(index).expect("reads")[0].index, 94_567);
    }
    for index in [
        json!(-1),
        json!("-1"),
        json!("+1"),
        json!(1.5),
        json!("1.5"),
        json!(""),
        json!(" 1"),
        json!("one"),
        json!(null),
        json!("99999999999999999999"),
        json!([1]),
    ] {
        assert!(with_index(index.clone()).is_err(), "{index}");
    }
}

#[test]
fn entries_that_are_not_understood_are_refused() {
    let good = json!({
        "type": "StatusList2021Entry", "statusPurpose": "suspension", "statusListIndex": "1", "statusListCredential": LIST,
    });
    let with = |name: &str, value: Value| {
        let mut entry = good.clone();
        entry[name] = value;
        entry_of(&entry)
    };
    assert_eq!(entry_of(&good).expect("reads")[0].kind, StatusKind::StatusList2021);
    assert_eq!(entry_of(&json!([good, good])).expect("reads").len(), 2);
    assert_eq!(entry_of(&json!(null)), Ok(Vec::new()));
    for result in [
        with("type", json!("RevocationList2020Status")),
        with("type", json!(null)),
        with("statusPurpose", json!("message")),
        with("statusSize", json!(2)),
    ] {
        assert!(result.is_err());
    }
    assert!(with("statusListCredential", json!(null)).is_err());
    assert!(entry_of(&json!([good, 1])).is_err());
}

#[test]
fn other_shapes_of_the_list_are_read_or_refused() {
    let key = key();
    let list = gzip(&[0x40; 16]);
    let claims = |subject: Value| {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"], "id": LIST,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"], "issuer": ISSUER,
            "validFrom": at(-1).to_string(), "credentialSubject": subject,
        })
    };
    let read = |subject: Value| parse_status_credential(&sign(&key, ISSUER, &claims(subject)));
    let subject = json!({
        "id": "x", "type": "BitstringStatusList", "statusPurpose": ["revocation", "refresh"], "encodedList": format!("u{list}"),
    });
    for subject in [subject.clone(), json!([subject])] {
        let read =
            read(subject).expect("the second data model").verify(&key.public_jwk(None)).expect("verifies");
        assert_eq!(read.purposes(), [StatusPurpose::Revocation]);
        assert_eq!(read.list().get(1), Ok(true));
    }
    assert!(read(json!([subject, subject])).is_err());
    assert!(read(json!({ "type": "Other", "statusPurpose": "revocation", "encodedList": list })).is_err());
    assert!(read(json!({ "type": "BitstringStatusList", "statusPurpose": "revocation" })).is_err());
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(indexes in prop::collection::btree_set(0_u64..131_072, 0..64)) {
        let mut list = StatusList::new(0).expect("small");
        indexes.iter().for_each(|index| list.set(*index).expect("inside"));
        let read = StatusList::decode(&list.encode(StatusKind::Bitstring), LIST_BYTES_MAX).expect("reads");
        let set = (0..read.length()).filter(|index| read.get(*index) == Ok(true)).collect();
        prop_assert_eq!(indexes, set);
    }

    #[test]
    fn any_text_is_decoded_or_refused_without_panic(text in any::<String>()) {
        let _ = StatusList::decode(&text, 1000);
    }
}
