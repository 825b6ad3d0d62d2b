//! What a holder accepts from an issuer: what it asked for, of whom it asked, about itself.

use heddle_credentials::Format;
use heddle_dcp::{
    Cause, Refusal,
    issuance::delivery::{Accepted, Expected, accept},
    wire::{CredentialContainer, CredentialMessage},
};
use heddle_ids::{HolderPid, IssuerPid};
use serde_json::{Value, json};

use crate::common::{Party, World, changed, date, failed, now, seconds};

fn message(payload: String, format: &str) -> CredentialMessage {
    let container = CredentialContainer {
        credential_type: "VerifiableCredential".to_owned(),
        payload,
        format: format.to_owned(),
    };
    let (issuer_pid, holder_pid) =
        (IssuerPid::parse("i").expect("an id"), HolderPid::parse("h").expect("an id"));
    CredentialMessage::issued(issuer_pid, holder_pid, vec![container])
}

fn deliver(
    world: &World,
    sender: &Party,
    message: &CredentialMessage,
    requested: Option<&[(String, Format)]>,
) -> Result<Accepted, Refusal> {
    let sender = sender.proves_itself_to(&world.holder.did, "opaque");
    let expected = Expected { issuer: &world.issuer.did, requested };
    accept(message, &sender, &expected, &world.issuer.document, (now(), &world.rules))
}

fn membership() -> [(String, Format); 1] {
    [("MembershipCredential".to_owned(), Format::Vc11Sl2021Jwt)]
}

fn refused(judged: Result<Accepted, Refusal>, check: &str) {
    let refusal = judged.expect_err(check);
    assert_eq!((refusal.cause(), refusal.check()), (Cause::Delivery, check), "{refusal}");
}

#[test]
fn what_was_asked_for_is_accepted() {
    let world = World::new();
    let good = message(world.issuer.sign(&world.membership()), "vc11-sl2021/jwt");
    let kept = deliver(&world, &world.issuer, &good, Some(&membership())).expect("good");
    assert!(failed(&kept.checks).is_empty());
    assert_eq!(kept.checks.last().expect("checks").name, "credential-validity");
    assert_eq!(kept.credentials[0].credential().label(), "vc-1");
    let other = [("DataCredential".to_owned(), Format::Vc11Sl2021Jwt)];
    refused(deliver(&world, &world.issuer, &good, Some(&other)), "credential-requested");
    assert!(
        deliver(&world, &world.issuer, &good, None).is_ok(),
        "unasked deliveries are the caller's setting"
    );
    let early = changed(&world.membership(), &[("/vc/issuanceDate", json!(date(60)))]);
    let early = message(world.issuer.sign(&early), "VC1_0_JWT");
    assert!(deliver(&world, &world.issuer, &early, Some(&membership())).is_ok(), "it may be valid later");
}

#[test]
fn nobody_else_delivers() {
    let world = World::new();
    let good = message(world.issuer.sign(&world.membership()), "vc11-sl2021/jwt");
    refused(deliver(&world, &Party::new("other"), &good, Some(&membership())), "delivery-sender");
    let rejection = CredentialMessage::rejected(good.issuer_pid, good.holder_pid, "no");
    refused(deliver(&world, &Party::new("other"), &rejection, Some(&membership())), "delivery-sender");
    assert!(
        deliver(&world, &world.issuer, &rejection, Some(&membership()))
            .is_ok_and(|kept| kept.credentials.is_empty())
    );
}

#[test]
fn a_bad_credential_spoils_the_delivery() {
    let world = World::new();
    let good = world.membership();
    let cases: [(&[(&str, Value)], &str); 6] = [
        (
            &[("/iss", json!("did:web:x.example")), ("/vc/issuer", json!("did:web:x.example"))],
            "credential-issuer",
        ),
        (&[("/iss", json!("did:web:x.example"))], "credential-issuer-binding"),
        (&[("/vc/credentialSubject/id", json!("did:web:x.example"))], "credential-subject"),
        (&[("/vc/expirationDate", json!(date(-60)))], "credential-validity"),
        (&[("/exp", json!(seconds(-60)))], "credential-validity"),
        (&[("/vc", Value::Null)], "credential-readable"),
    ];
    for (changes, check) in cases {
        let text = world.issuer.sign(&changed(&good, changes));
        let mut delivery = message(text, "vc11-sl2021/jwt");
        delivery
            .credentials
            .insert(0, message(world.issuer.sign(&good), "vc11-sl2021/jwt").credentials[0].clone());
        refused(deliver(&world, &world.issuer, &delivery, Some(&membership())), check);
    }
    let forged = heddle_jose::sign_compact(&world.holder.key, world.issuer.header(), &good).expect("signs");
    let forged = message(forged, "vc11-sl2021/jwt");
    refused(deliver(&world, &world.issuer, &forged, Some(&membership())), "credential-signature");
}

#[test]
fn the_format_is_the_one_that_was_asked_for() {
    let world = World::new();
    let text = world.issuer.sign(&world.membership());
    for (format, check) in [("jwt", "delivery-format"), ("vc20-bssl/jwt", "credential-format")] {
        refused(deliver(&world, &world.issuer, &message(text.clone(), format), Some(&membership())), check);
    }
    let new = [("MembershipCredential".to_owned(), Format::Vc20BsslJwt)];
    let old = message(text, "vc11-sl2021/jwt");
    refused(deliver(&world, &world.issuer, &old, Some(&new)), "credential-requested");
}
