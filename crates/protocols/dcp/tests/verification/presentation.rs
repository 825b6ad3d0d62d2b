//! The holder's choice: requested and granted and good.

use heddle_credentials::ParsedCredential;
use heddle_dcp::{
    Rules, Scope,
    presentation::{Held, Selection, select},
};
use serde_json::json;

use crate::common::{Party, changed, date, now, seconds};

fn credential(kind: &str, id: &str, until: i64) -> ParsedCredential {
    let issuer = Party::new("issuer");
    let claims = issuer.credential_claims(&Party::new("holder").did, kind);
    let changes = [
        ("/vc/id", json!(id)),
        ("/exp", json!(seconds(until))),
        ("/vc/expirationDate", json!(date(until))),
        ("/vc/issuanceDate", json!(date(-1000))),
        ("/nbf", json!(seconds(-1000))),
    ];
    ParsedCredential::parse(&issuer.sign(&changed(&claims, &changes))).expect("readable")
}

fn scopes(names: &[&str]) -> Vec<Scope> {
    names
        .iter()
        .map(|name| Scope::parse(&format!("org.eclipse.dspace.dcp.vc.{name}")).expect("a scope"))
        .collect()
}

/// Ids of what is shown.
fn shown(selection: &Selection<'_>) -> Vec<String> {
    let all = selection.groups.iter().flat_map(|group| &group.credentials);
    all.map(|text| ParsedCredential::parse(text).expect("readable").credential().label()).collect()
}

#[test]
fn only_what_is_both_requested_and_granted_is_shown() {
    let (member, data) = (credential("Member", "m", 60), credential("Data", "d", 60));
    let held = [&member, &data].map(|credential| Held { credential, withdrawn: false });
    let table: [(&[&str], &[&str], &[&str]); 8] = [
        (&["type:Member"], &["type:Member:read"], &["m"]),
        (&["type:Data"], &["type:Member", "type:Data"], &["d"]),
        (&["type:Member", "type:Data"], &["type:Member"], &["m"]),
        (&["type:Member", "type:Data"], &["type:Data", "type:Member"], &["m", "d"]),
        (&["type:Member"], &["id:m"], &["m"]),
        (&["id:d"], &["type:Member"], &[]),
        (&["type:Memb"], &["type:Memb"], &[]),
        (&[], &["type:Member"], &[]),
    ];
    for (requested, granted, expected) in table {
        let selection = select(&held, &scopes(requested), &scopes(granted), now(), &Rules::default());
        assert_eq!(shown(&selection), expected, "{requested:?} {granted:?}");
    }
}

#[test]
fn what_is_not_good_stays_at_home_and_the_holder_can_see_why() {
    let good = credential("Member", "good", 60);
    let expired = credential("Member", "expired", -60);
    let revoked = credential("Member", "revoked", 60);
    let held = [
        Held { credential: &expired, withdrawn: false },
        Held { credential: &revoked, withdrawn: true },
        Held { credential: &good, withdrawn: false },
    ];
    let all = scopes(&["type:Member"]);
    let selection = select(&held, &all, &all, now(), &Rules::default());
    assert_eq!(shown(&selection), ["good"]);
    let verdicts: Vec<_> =
        selection.checks.iter().map(|check| (check.subject.as_str(), check.passed())).collect();
    assert_eq!(verdicts, [("expired", false), ("revoked", false), ("good", true)]);
    let nothing = select(&held[..2], &all, &all, now(), &Rules::default());
    assert!(nothing.groups.is_empty(), "no empty presentation");
}

#[test]
fn one_presentation_holds_one_format() {
    let issuer = Party::new("issuer");
    let old = credential("Member", "old", 60);
    let new = json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "id": "new",
        "type": ["VerifiableCredential", "Member"], "issuer": issuer.did,
        "validFrom": date(-60), "validUntil": date(60), "credentialSubject": {"id": "did:web:holder.example"}});
    let new = ParsedCredential::parse(&issuer.sign(&new)).expect("readable");
    let held = [&old, &new, &old].map(|credential| Held { credential, withdrawn: false });
    let all = scopes(&["type:Member"]);
    let selection = select(&held, &all, &all, now(), &Rules::default());
    let sizes: Vec<_> =
        selection.groups.iter().map(|group| (group.format.alias(), group.credentials.len())).collect();
    assert_eq!(sizes, [("vc11-sl2021/jwt", 2), ("vc20-bssl/jwt", 1)]);
}
