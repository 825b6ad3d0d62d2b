//! Revocation and suspension: every doubt counts against the credential.

use heddle_credentials::{StatusKind, StatusPurpose};
use heddle_dcp::{Cause, Refusal, trust};
use serde_json::{Value, json};

use crate::common::{LIST, Party, World, changed, entry, failed, now};

const BITSTRING: &str = "BitstringStatusListEntry";
const LIST_2021: &str = "StatusList2021Entry";

type Judged = Result<trust::VerifiedPresentation, Refusal>;

/// Judges a credential with this status, against this list.
fn judge(status: &Value, list: impl FnOnce(&World) -> Result<String, String>) -> Judged {
    let mut world = World::new();
    let list = list(&world);
    world.gathered.status_lists.insert(LIST.to_owned(), list);
    world.judge_claims(&[changed(&world.membership(), &[("/vc/credentialStatus", status.clone())])])
}

fn refused(judged: Judged, check: &str) {
    let refusal = judged.expect_err(check);
    assert_eq!(refusal.cause(), Cause::Credentials);
    assert_eq!(failed(refusal.checks()), [check, "scope-met"], "{refusal}");
}

fn revocations(set: &'static [u64]) -> impl FnOnce(&World) -> Result<String, String> {
    move |world| Ok(world.issuer.status_list(StatusKind::Bitstring, StatusPurpose::Revocation, set))
}

#[test]
fn a_set_bit_refuses_and_a_clear_one_passes() {
    for (kind, list) in [(BITSTRING, StatusKind::Bitstring), (LIST_2021, StatusKind::StatusList2021)] {
        for (purpose, name) in
            [(StatusPurpose::Revocation, "revocation"), (StatusPurpose::Suspension, "suspension")]
        {
            for index in [json!("7"), json!(7)] {
                let with = |set: &'static [u64]| {
                    judge(&entry(kind, name, &index), |world| {
                        Ok(world.issuer.status_list(list, purpose, set))
                    })
                };
                assert!(with(&[6, 8]).is_ok(), "{kind} {name} {index}");
                refused(with(&[7]), "credential-status");
            }
        }
    }
}

#[test]
fn all_entries_count() {
    let two =
        json!([entry(BITSTRING, "revocation", &json!("1")), entry(BITSTRING, "revocation", &json!("2"))]);
    assert!(judge(&two, revocations(&[])).is_ok());
    refused(judge(&two, revocations(&[1])), "credential-status");
    refused(judge(&two, revocations(&[2])), "credential-status");
}

#[test]
fn what_is_missing_or_no_list_refuses() {
    let status = entry(BITSTRING, "revocation", &json!("1"));
    refused(judge(&status, |_| Err("404".to_owned())), "status-list");
    refused(judge(&status, |_| Ok("<html>".to_owned())), "status-list");
    refused(judge(&status, |world| Ok(world.issuer.sign(&world.membership()))), "status-list");
    let world = World::new();
    let claims = changed(&world.membership(), &[("/vc/credentialStatus", status)]);
    refused(world.judge_claims(&[claims]), "status-list");
}

#[test]
fn the_list_is_the_issuers_own() {
    let status = entry(BITSTRING, "revocation", &json!("1"));
    let (kind, purpose) = (StatusKind::Bitstring, StatusPurpose::Revocation);
    refused(judge(&status, |_| Ok(Party::new("other").status_list(kind, purpose, &[]))), "status-list");
    // The same name, another key.
    refused(judge(&status, |_| Ok(Party::new("issuer").status_list(kind, purpose, &[]))), "status-list");
    refused(judge(&status, |world| Ok(world.holder.status_list(kind, purpose, &[]))), "status-list");
}

#[test]
fn purpose_index_and_age_must_fit() {
    let at = |index: Value| entry(BITSTRING, "revocation", &index);
    refused(judge(&entry(BITSTRING, "suspension", &json!("1")), revocations(&[])), "credential-status");
    refused(judge(&at(json!("99999999")), revocations(&[])), "credential-status");
    let mut world = World::new();
    let old = std::time::Duration::from_secs(7200);
    let list = world.issuer.status_list(StatusKind::Bitstring, StatusPurpose::Revocation, &[]);
    world.gathered.status_lists.insert(LIST.to_owned(), Ok(list));
    let endless = [
        ("/vc/expirationDate", Value::Null),
        ("/exp", Value::Null),
        ("/vc/credentialStatus", at(json!("1"))),
    ];
    let credential = world.issuer.sign(&changed(&world.membership(), &endless));
    let claims = world.holder.presentation_claims(&world.verifier.did, &[credential]);
    let later = now().as_seconds() + 7200;
    let claims = changed(&claims, &[("/exp", json!(later + 60)), ("/iat", json!(later))]);
    let presentation = world.holder.sign(&claims);
    let judged = world.with_evidence(vec![presentation], |evidence| {
        trust::verify(&trust::Evidence { now: now() + old, ..*evidence })
    });
    refused(judged, "credential-status");
}

#[test]
fn a_status_that_is_not_understood_refuses() {
    for status in [
        entry("OtherEntry", "revocation", &json!("1")),
        entry(BITSTRING, "message", &json!("1")),
        entry(BITSTRING, "revocation", &json!("-1")),
        entry(BITSTRING, "revocation", &json!(-1)),
        entry(BITSTRING, "revocation", &json!("one")),
        entry(BITSTRING, "revocation", &json!(1.5)),
        json!("https://issuer.example/statuslist/1"),
        json!({"id": "x"}),
    ] {
        refused(judge(&status, revocations(&[])), "credential-readable");
    }
}

#[test]
fn lists_are_asked_for_at_once_and_only_when_signed_by_a_trusted_issuer() {
    let world = World::new();
    let other = changed(
        &entry(BITSTRING, "revocation", &json!("1")),
        &[("/statusListCredential", json!("https://issuer.example/statuslist/2"))],
    );
    let both = json!([entry(BITSTRING, "revocation", &json!("1")), other]);
    let claims = changed(&world.membership(), &[("/vc/credentialStatus", both)]);
    let needs = |credential: String| {
        world.with_evidence(vec![world.presentation(&[credential])], trust::required).status_lists.len()
    };
    assert_eq!(needs(world.issuer.sign(&claims)), 2);
    // A forged credential must not make us fetch an address of the forger's choice.
    let forged = heddle_jose::sign_compact(&world.holder.key, world.issuer.header(), &claims).expect("signs");
    assert_eq!(needs(forged), 0);
}

#[test]
fn many_lists_are_not_fetched() {
    let world = World::new();
    let entries: Vec<Value> = (0..60)
        .map(|number| {
            let url = json!(format!("https://issuer.example/statuslist/{number}"));
            changed(&entry(BITSTRING, "revocation", &json!("1")), &[("/statusListCredential", url)])
        })
        .collect();
    let claims = changed(&world.membership(), &[("/vc/credentialStatus", json!(entries))]);
    let presentation = world.presentation(&[world.issuer.sign(&claims)]);
    let needs = world.with_evidence(vec![presentation], trust::required);
    assert_eq!(needs.status_lists.len(), trust::STATUS_LISTS_MAX);
}
