//! What a verifier demands of what it asked for: which scopes must be met, and what is said of those that are not.

use heddle_dcp::{Cause, Scope};

use crate::{
    common::{MEMBERSHIP, World, failed},
    trust::refused,
};

#[test]
fn every_requested_scope_is_met() {
    let mut world = World::new();
    let data = Scope::of_type("DataCredential").expect("a scope");
    world.scopes = vec![Scope::parse(MEMBERSHIP).expect("a scope"), data.clone()];
    let more = world.issuer.credential_claims(&world.holder.did, "DataCredential");
    let both = [world.membership(), more.clone()];
    assert_eq!(world.judge_claims(&both).expect("both").credentials().len(), 2);
    for some in [vec![world.membership()], vec![world.membership(), world.membership()], vec![more.clone()]] {
        refused(world.judge_claims(&some), Cause::Credentials, "scope-met");
    }
    // The same scope twice wants one credential; more than was asked for is fine.
    world.scopes = vec![data.clone(), data];
    assert!(world.judge_claims(&[more]).is_ok());
    assert!(world.judge_claims(&both).is_ok());
}

#[test]
fn an_optional_scope_may_be_unmet_unless_nothing_else_proves_anything() {
    let mut world = World::new();
    let more = world.issuer.credential_claims(&world.holder.did, "DataCredential");
    world.optional_scopes = vec![Scope::of_type("DataCredential").expect("a scope")];
    let shown = world.judge_claims(&[world.membership()]).expect("what must be met is");
    assert_eq!((shown.credentials().len(), failed(shown.checks())), (1, vec!["scope-met"]));
    assert_eq!(world.judge_claims(&[world.membership(), more.clone()]).expect("both").credentials().len(), 2);
    refused(world.judge_claims(std::slice::from_ref(&more)), Cause::Credentials, "scope-met");
    world.scopes = Vec::new();
    assert!(world.judge_claims(&[more]).is_ok());
    refused(world.judge_claims(&[world.membership()]), Cause::Credentials, "scope-met");
    refused(world.judge(Vec::new()), Cause::Presentation, "presentation-present");
    world.optional_scopes = Vec::new();
    refused(world.judge_claims(&[world.membership()]), Cause::Presentation, "scope-asked");
}

#[test]
fn a_refusal_names_what_is_missing_to_the_owner_alone() {
    let world = World::new();
    let data = world.issuer.credential_claims(&world.holder.did, "DataCredential");
    let refusal = world.judge_claims(&[data]).expect_err("not what was asked for");
    let last = refusal.checks().last().expect("checks");
    assert_eq!((last.name, last.subject.as_str()), ("scope-met", MEMBERSHIP));
    let missing = format!("scope-met: no credential for the scope '{MEMBERSHIP}' was presented");
    assert_eq!(refusal.to_string(), missing);
    let refusal = world.judge(Vec::new()).expect_err("nothing is presented");
    assert!(refusal.to_string().contains(MEMBERSHIP), "{refusal}");
    let untrusted = World { trusted: Vec::new(), ..world };
    let refusal = untrusted.judge_claims(&[untrusted.membership()]).expect_err("untrusted");
    assert!(refusal.to_string().contains("did:web:issuer.example"), "{refusal}");
    assert_eq!(refusal.peer_message(), "The presented credentials do not meet what is required.");
}
