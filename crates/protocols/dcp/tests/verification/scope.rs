//! Scopes: what is read, what is refused, what is selected.

use crate::common::{Party, changed};
use heddle_credentials::ParsedCredential;
use heddle_dcp::{InvalidScope, Scope};
use proptest::prelude::{ProptestConfig, any, proptest};
use serde_json::json;

const TYPE: &str = "org.eclipse.dspace.dcp.vc.type";
const ID: &str = "org.eclipse.dspace.dcp.vc.id";

fn of_type(context: Option<&str>, name: &str) -> Scope {
    Scope::Type { context: context.map(str::to_owned), name: name.to_owned() }
}

#[test]
fn two_and_three_parts_mean_the_same() {
    for end in ["", ":read", ":*", ":all"] {
        let scope = Scope::parse(&format!("{TYPE}:MembershipCredential{end}"));
        assert_eq!(scope, Ok(of_type(None, "MembershipCredential")), "{end}");
    }
    let qualified = Scope::parse(&format!("{TYPE}:https://w3id.org/x:1/v1#Member:read"));
    assert_eq!(qualified, Ok(of_type(Some("https://w3id.org/x:1/v1"), "Member")));
    for end in ["", ":read"] {
        let scope = Scope::parse(&format!("{ID}:urn:uuid:7%3A1{end}"));
        assert_eq!(scope, Ok(Scope::Id("urn:uuid:7%3A1".to_owned())), "{end}");
    }
}

#[test]
fn escalation_is_refused() {
    let refused = |text: &str| Scope::parse(text).expect_err(text);
    for text in
        ["", "*", "all", "read", ":", TYPE, ID, "MembershipCredential", "org.eclipse.edc.vc.type:M:read"]
    {
        assert!(matches!(refused(text), InvalidScope::UnknownAlias(_)), "{text}");
    }
    for end in ["M:write", "M:read:write", "M:delete", "a#b:write", "M:READ", "M:"] {
        assert!(matches!(refused(&format!("{TYPE}:{end}")), InvalidScope::Operation(_)), "{end}");
    }
    for name in ["*", "*:read", ":read", "", "M*", "%", "M%:read", "M N", "M\u{0}", "#M", "x#", "x y#M"] {
        assert!(matches!(refused(&format!("{TYPE}:{name}")), InvalidScope::Discriminator(_)), "{name}");
    }
    assert!(matches!(refused(&format!("{ID}:urn:x:write")), InvalidScope::Operation(_)));
    assert!(matches!(refused(&format!("{ID}:urn:x:*")), InvalidScope::Discriminator(_)));
    assert!(matches!(refused(&format!("{ID}: ")), InvalidScope::Discriminator(_)));
    assert_eq!(refused(&format!("{TYPE}:{}", "M".repeat(2000))), InvalidScope::TooLong);
}

#[test]
fn a_scope_selects_by_equality() {
    let issuer = Party::new("issuer");
    let claims = issuer.credential_claims(&issuer.did, "MembershipCredential");
    let claims = changed(&claims, &[("/vc/id", json!("urn:uuid:a:b"))]);
    let parsed = ParsedCredential::parse(&issuer.sign(&claims)).expect("readable");
    let selects = |text: &str| Scope::parse(text).expect("a scope").selects(parsed.credential());
    let context = "https://www.w3.org/2018/credentials/v1";
    assert!(selects(&format!("{TYPE}:MembershipCredential")));
    assert!(selects(&format!("{TYPE}:{context}#MembershipCredential")));
    assert!(selects(&format!("{ID}:urn:uuid:a:b")));
    for other in
        ["Member", "membershipcredential", "MembershipCredential2", "https://other#MembershipCredential"]
    {
        assert!(!selects(&format!("{TYPE}:{other}")), "{other}");
    }
    for other in ["urn:uuid:a", "urn:uuid:a:b:c", "URN:uuid:a:b"] {
        assert!(!selects(&format!("{ID}:{other}")), "{other}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_is_read_or_refused_and_what_is_written_is_read_back(end in any::<String>(), id in any::<bool>()) {
        let alias = if id { ID } else { TYPE };
        if let Ok(scope) = Scope::parse(&format!("{alias}:{end}")) {
            assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
        }
    }
}
