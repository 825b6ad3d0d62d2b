//! The verifier's judgement: holder, audience, issuers, subjects, dates.

use std::collections::BTreeSet;

use heddle_credentials::Check;
use heddle_dcp::{
    BadCredential, Cause, CredentialSchema, Refusal,
    trust::{self, CREDENTIALS_MAX, TrustedIssuer},
};
use heddle_did::{Relationship, Strictness};
use heddle_jose::{Header, sign_compact};
use serde_json::{Value, json};

use crate::common::{Party, World, changed, date, failed, seconds};

/// Asserts a refusal: its cause, and that this check failed on the way.
pub fn refused(judged: Result<trust::VerifiedPresentation, Refusal>, cause: Cause, check: &str) {
    let refusal = judged.expect_err(check);
    assert_eq!(refusal.cause(), cause, "{refusal}");
    assert!(failed(refusal.checks()).contains(&check), "{check}: {refusal}: {:#?}", refusal.checks());
}

fn bad_credential(world: &World, claims: &Value, check: &str) {
    refused(world.judge_claims(std::slice::from_ref(claims)), Cause::Credentials, check);
}

#[test]
fn a_good_presentation_is_proof() {
    let world = World::new();
    let verified = world.judge_claims(&[world.membership()]).expect("good");
    assert_eq!((verified.holder(), verified.audience()), (&world.holder.did, &world.verifier.did));
    assert!(failed(verified.checks()).is_empty());
    assert_eq!(verified.replay_keys()[0].jti, "vp-1");
    assert_eq!(
        verified.claims(),
        [json!({"@context": ["https://www.w3.org/2018/credentials/v1"], "id": "vc-1",
                "type": ["VerifiableCredential", "MembershipCredential"],
                "credentialSubject": [{"id": "did:web:holder.example", "level": "gold"}],
                "issuer": {"id": "did:web:issuer.example"},
                "issuanceDate": "2026-03-01T11:59:00.000Z", "expirationDate": "2026-03-01T13:00:00.000Z"})]
    );
    assert!(!format!("{verified:?}").contains("gold"), "claims do not reach logs");
}

#[test]
fn the_checks_stand_in_order() {
    let world = World::new();
    let verified = world.judge_claims(&[world.membership()]).expect("good");
    let names: Vec<_> = verified.checks().iter().map(|check| check.name).collect();
    let expected = [
        "token-form",
        "token-purpose",
        "token-issuer",
        "token-kid",
        "token-audience",
        "token-time",
        "token-id",
        "token-access-token",
        "token-code",
        "token-document",
        "token-key",
        "token-signature",
        "presentation-readable",
        "presentation-holder",
        "presentation-kid",
        "presentation-audience",
        "presentation-time",
        "presentation-id",
        "presentation-holder-document",
        "presentation-key",
        "presentation-signature",
        "credential-count",
        "credential-readable",
        "credential-homogeneity",
        "credential-issuer-binding",
        "credential-issuer-trusted",
        "credential-issuer-document",
        "credential-key",
        "credential-signature",
        "credential-subject",
        "credential-subject-claim",
        "credential-validity",
        "presentation-present",
        "scope-asked",
        "scope-met",
    ];
    assert_eq!(names, expected);
}

#[test]
fn needs_come_in_rounds_and_only_for_those_we_trust() {
    let mut world = World::new();
    let stranger = Party::new("stranger");
    let credentials = [
        world.issuer.sign(&world.membership()),
        stranger.sign(&stranger.credential_claims(&world.holder.did, "MembershipCredential")),
    ];
    let presentations = vec![world.presentation(&credentials)];
    let gathered = std::mem::take(&mut world.gathered);
    let dids = |world: &World| world.with_evidence(presentations.clone(), trust::required).dids;
    assert_eq!(dids(&world), BTreeSet::from([world.holder.did.clone()]));
    world.gathered.documents.insert(world.holder.did.clone(), Ok(world.holder.document.clone()));
    assert_eq!(dids(&world), BTreeSet::from([world.issuer.did.clone()]), "not the stranger's");
    world.gathered = gathered;
    assert!(world.with_evidence(presentations.clone(), trust::required).is_empty());
    world.gathered.documents.insert(world.issuer.did.clone(), Err("no answer".to_owned()));
    assert!(
        world.with_evidence(presentations.clone(), trust::required).is_empty(),
        "a failure ends the asking"
    );
    refused(world.judge(presentations), Cause::Credentials, "credential-issuer-document");
}

#[test]
fn an_empty_answer_proves_nothing() {
    let mut world = World::new();
    refused(world.judge(Vec::new()), Cause::Presentation, "presentation-present");
    refused(world.judge(vec![world.presentation(&[])]), Cause::Credentials, "scope-met");
    refused(world.judge(vec!["faketoken".to_owned()]), Cause::Presentation, "presentation-readable");
    world.scopes.clear();
    refused(world.judge_claims(&[world.membership()]), Cause::Presentation, "scope-asked");
}

#[test]
fn the_presentation_must_be_the_peers_own_for_us_and_now() {
    let world = World::new();
    let credential = [world.issuer.sign(&world.membership())];
    let claims = world.holder.presentation_claims(&world.verifier.did, &credential);
    for (pointer, value, check) in [
        ("/iss", json!("did:web:other.example"), "presentation-holder"),
        ("/sub", json!("did:web:other.example"), "presentation-holder"),
        ("/vp/holder", json!("did:web:other.example"), "presentation-readable"),
        ("/aud", Value::Null, "presentation-audience"),
        ("/aud", json!("did:web:other.example"), "presentation-audience"),
        ("/aud", json!([world.verifier.did, "did:web:other.example"]), "presentation-audience"),
        ("/exp", json!(seconds(-10)), "presentation-time"),
        ("/exp", Value::Null, "presentation-time"),
        ("/nbf", json!(seconds(60)), "presentation-time"),
        ("/iat", json!(seconds(60)), "presentation-time"),
        ("/jti", json!("x".repeat(1000)), "presentation-id"),
        ("/vp", Value::Null, "presentation-readable"),
        ("/vp/type", json!("Other"), "presentation-readable"),
        ("/vp/verifiableCredential", json!([{"type": "VerifiableCredential"}]), "presentation-readable"),
        ("/vp/verifiableCredential", json!(vec![&credential[0]; 65]), "presentation-readable"),
    ] {
        let text = world.holder.sign(&changed(&claims, &[(pointer, value)]));
        refused(world.judge(vec![text]), Cause::Presentation, check);
    }
    for good in
        [("/sub", Value::Null), ("/jti", Value::Null), ("/vp/verifiableCredential", json!(credential[0]))]
    {
        assert!(
            world.judge(vec![world.holder.sign(&changed(&claims, std::slice::from_ref(&good)))]).is_ok(),
            "{good:?}"
        );
    }
}

#[test]
fn another_holders_presentation_cannot_be_passed_along() {
    let mut world = World::new();
    let other = Party::new("other");
    world.gathered.documents.insert(other.did.clone(), Ok(other.document.clone()));
    let credential = world.issuer.sign(&world.issuer.credential_claims(&other.did, "MembershipCredential"));
    let theirs =
        other.sign(&other.presentation_claims(&world.verifier.did, std::slice::from_ref(&credential)));
    refused(world.judge(vec![theirs]), Cause::Presentation, "presentation-holder");
    // Their key under our name, and their credential in our presentation.
    let claims = world.holder.presentation_claims(&world.verifier.did, std::slice::from_ref(&credential));
    refused(world.judge(vec![other.sign(&claims)]), Cause::Presentation, "presentation-kid");
    let forged = sign_compact(&other.key, world.holder.header(), &claims).expect("signs");
    refused(world.judge(vec![forged]), Cause::Presentation, "presentation-signature");
    refused(world.judge(vec![world.presentation(&[credential])]), Cause::Credentials, "credential-subject");
}

#[test]
fn keys_must_be_for_their_use() {
    for (lacking, cause, check) in [
        (Relationship::Authentication, Cause::Presentation, "presentation-key"),
        (Relationship::AssertionMethod, Cause::Credentials, "credential-key"),
    ] {
        let mut world = World::new();
        let rest: Vec<_> = Relationship::ALL.into_iter().filter(|one| *one != lacking).collect();
        world.rules.relationships = Strictness::Strict;
        if lacking == Relationship::Authentication {
            world.holder = Party::with_relationships("holder", &rest);
        } else {
            world.issuer = Party::with_relationships("issuer", &rest);
        }
        for party in [&world.holder, &world.issuer] {
            world.gathered.documents.insert(party.did.clone(), Ok(party.document.clone()));
        }
        let judged = world.judge_claims(&[world.membership()]);
        assert!(judged.as_ref().is_err_and(|refusal| !refusal.stale_documents().is_empty()));
        refused(judged, cause, check);
    }
}

#[test]
fn the_credential_must_be_its_issuers_word() {
    let world = World::new();
    let good = world.membership();
    for (pointer, value, check) in [
        ("/iss", json!("did:web:other.example"), "credential-issuer-binding"),
        ("/iss", Value::Null, "credential-issuer-binding"),
        ("/vc/issuer", json!("did:web:other.example"), "credential-issuer-binding"),
        ("/vc", Value::Null, "credential-readable"),
        ("/sub", json!("did:web:other.example"), "credential-subject-claim"),
        ("/sub", json!(7), "credential-readable"),
    ] {
        bad_credential(&world, &changed(&good, &[(pointer, value)]), check);
    }
    let object = changed(&good, &[("/vc/issuer", json!({"id": world.issuer.did, "name": "I"}))]);
    assert!(world.judge_claims(&[object]).is_ok(), "an issuer may be an object");

    let other = Party::new("other");
    let header = world.issuer.header();
    let by_holder = sign_compact(&world.holder.key, header.clone(), &good).expect("signs");
    let by_other =
        sign_compact(&other.key, Header { kid: Some(other.kid()), ..header }, &good).expect("signs");
    let signed = world.issuer.sign(&good);
    let (input, signature) = signed.rsplit_once('.').expect("parts");
    let tampered = world.issuer.sign(&changed(&good, &[("/vc/credentialSubject/level", json!("platinum"))]));
    let tampered = format!("{}.{signature}", tampered.rsplit_once('.').expect("parts").0);
    for (text, check) in [
        (by_holder, "credential-signature"),
        (by_other, "credential-issuer-binding"),
        (tampered, "credential-signature"),
        (format!("{input}."), "credential-signature"),
        ("a.b.c".to_owned(), "credential-readable"),
        (format!("data:application/vc+jwt,{signed}"), "credential-readable"),
        (world.presentation(&[]), "credential-readable"),
    ] {
        refused(world.judge(vec![world.presentation(&[text])]), Cause::Credentials, check);
    }
}

#[test]
fn every_subject_is_the_holder() {
    let world = World::new();
    let holder = json!({"id": world.holder.did});
    let other = json!({"id": "did:web:other.example"});
    let with = |subject: Value, sub: Value| {
        changed(&world.membership(), &[("/vc/credentialSubject", subject), ("/sub", sub)])
    };
    for subject in
        [other.clone(), json!([holder, other]), json!([holder, {"level": "gold"}]), json!({"level": "gold"})]
    {
        bad_credential(&world, &with(subject, Value::Null), "credential-subject");
    }
    bad_credential(&world, &with(json!([]), Value::Null), "credential-readable");
    assert!(world.judge_claims(&[with(json!([holder, holder]), Value::Null)]).is_ok());
}

#[test]
fn dates_count_in_credential_and_token_alike() {
    let world = World::new();
    for (pointer, value) in [
        ("/vc/expirationDate", json!(date(-100))),
        ("/exp", json!(seconds(-100))),
        ("/vc/issuanceDate", json!(date(3600))),
        ("/nbf", json!(seconds(3600))),
    ] {
        bad_credential(&world, &changed(&world.membership(), &[(pointer, value)]), "credential-validity");
    }
    for (pointer, value) in [
        ("/vc/expirationDate", json!("2030-01-01T00:00:00")),
        ("/vc/issuanceDate", json!("yesterday")),
        ("/exp", json!("2030")),
    ] {
        bad_credential(&world, &changed(&world.membership(), &[(pointer, value)]), "credential-readable");
    }
    let endless = changed(&world.membership(), &[("/vc/expirationDate", Value::Null), ("/exp", Value::Null)]);
    let verified = world.judge_claims(&[endless]).expect("need not expire");
    assert!(verified.claims()[0].get("expirationDate").is_none());
}

#[test]
fn issuers_are_trusted_for_types() {
    let mut world = World::new();
    let trusts = |world: &World, types: &[&str]| TrustedIssuer {
        did: world.issuer.did.clone(),
        supported_types: types.iter().map(|&kind| kind.to_owned()).collect(),
    };
    let typed = |world: &World, types: Value| changed(&world.membership(), &[("/vc/type", types)]);
    world.trusted = vec![trusts(&world, &["MembershipCredential"])];
    assert!(world.judge_claims(&[world.membership()]).is_ok());
    assert!(
        world.judge_claims(&[typed(&world, json!(["MembershipCredential"]))]).is_ok(),
        "the base type may lack"
    );
    let two = json!(["VerifiableCredential", "MembershipCredential", "AdminCredential"]);
    bad_credential(&world, &typed(&world, two.clone()), "credential-issuer-trusted");
    bad_credential(&world, &typed(&world, json!(["VerifiableCredential"])), "credential-issuer-trusted");
    bad_credential(&world, &typed(&world, json!([])), "credential-readable");
    world.trusted.push(trusts(&world, &["AdminCredential"]));
    assert!(world.judge_claims(&[typed(&world, two)]).is_ok(), "several entries add up");
    for trusted in
        [vec![], vec![trusts(&world, &[])], vec![trusts(&world, &["Member", "membershipcredential"])]]
    {
        world.trusted = trusted;
        bad_credential(&world, &world.membership(), "credential-issuer-trusted");
    }
}

#[test]
fn a_presentation_is_homogeneous() {
    let world = World::new();
    let new = json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["MembershipCredential"],
        "issuer": world.issuer.did, "validFrom": date(-60), "credentialSubject": {"id": world.holder.did}});
    bad_credential(&world, &new, "credential-homogeneity");
}

#[test]
fn one_bad_credential_does_not_sink_the_good_ones_unless_the_profile_says_so() {
    let mut world = World::new();
    let expired = changed(&world.membership(), &[("/exp", json!(seconds(-100))), ("/vc/id", json!("vc-2"))]);
    let both = [expired, world.membership()];
    let verified = world.judge_claims(&both).expect("one is good");
    assert_eq!(verified.credentials().len(), 1);
    assert_eq!(failed(verified.checks()), ["credential-validity"], "and the bad one is on record");
    let dropped: Vec<&Check> = verified.checks().iter().filter(|check| !check.passed()).collect();
    assert_eq!(dropped[0].subject, "presentation 0, credential 0 (vc-2)");
    world.rules.bad_credential = BadCredential::SinksPresentation;
    refused(world.judge_claims(&both), Cause::Credentials, "presentation-whole");
    assert!(world.judge_claims(&[world.membership()]).is_ok());
}

#[test]
fn one_bad_presentation_does_not_sink_the_good_one() {
    let world = World::new();
    let credential = [world.issuer.sign(&world.membership())];
    let foreign = world.holder.presentation_claims(&world.issuer.did, &credential);
    let both = vec![world.holder.sign(&foreign), world.presentation(&credential)];
    assert_eq!(world.judge(both).expect("one is good").credentials().len(), 1);
}

#[test]
fn a_schema_that_is_not_proved_is_a_setting() {
    let mut world = World::new();
    let schema = json!({"id": "https://example.com/s.json", "type": "JsonSchema"});
    let claims = changed(&world.membership(), &[("/vc/credentialSchema", schema)]);
    assert!(world.judge_claims(std::slice::from_ref(&claims)).is_ok());
    world.rules.credential_schema = CredentialSchema::Refused;
    bad_credential(&world, &claims, "credential-schema");
    assert!(world.judge_claims(&[world.membership()]).is_ok());
}

#[test]
fn what_a_stranger_sends_is_bounded() {
    let world = World::new();
    let credential = world.issuer.sign(&world.membership());
    let fifty = world.presentation(&vec![credential; CREDENTIALS_MAX / 2]);
    let verified = world.judge(vec![fifty; 5]).expect("the first two are good");
    assert_eq!(verified.credentials().len(), CREDENTIALS_MAX);
    assert_eq!(failed(verified.checks()), ["credential-count"; 3]);
    let long = changed(&world.membership(), &[("/vc/id", json!("x".repeat(20_000)))]);
    let verified = world.judge_claims(&[long]).expect("good");
    assert!(verified.checks().iter().all(|check| check.subject.len() <= 400));
}
