//! Role × scope × what is required, as a table that a person can check: `golden/authorisation.txt`.
//!
//! After a change that is meant, write it anew with `UPDATE_GOLDEN=1` and read the difference.

use std::fmt::Write as _;

use crate::support::{ISSUER, Idp, authenticator, clock, principal, scopes};
use heddle_auth::{Action, Area, Authenticator, Forbidden, IssuerLimits, Owners, Principal, RequiredScope};
use heddle_ids::{ParticipantContextId, TenantId};
use heddle_jose::Algorithm;
use serde_json::{Value, json};

const LEGEND: &str = "\
Who may do what with whose. Each cell: own context, another's context, the installation.
  +  allowed                 a  allowed, as an administrator, with a reason for the audit log
  s  403: scope missing      r  403: the role does not go so far      o  403: somebody else's
";

const SCOPES: [(&str, &str); 8] = [
    ("read", "management-api:read"),
    ("write", "management-api:read management-api:write"),
    ("admin", "management-api:admin"),
    ("assets:read", "management-api:assets:read"),
    ("assets:write", "management-api:assets:write"),
    ("assets:admin", "management-api:assets:admin"),
    ("profiles:write", "management-api:profiles:write"),
    ("identity:admin", "identity-api:admin"),
];

const REQUIRED: [(&str, RequiredScope); 27] = [
    ("read assets", RequiredScope::read("management-api", "assets")),
    ("write assets", RequiredScope::write("management-api", "assets")),
    ("read negotiations", RequiredScope::read("management-api", "negotiations")),
    ("write transfers", RequiredScope::write("management-api", "transfers")),
    ("read profiles", RequiredScope::read("management-api", "profiles").within(Area::Profiles)),
    ("write profiles", RequiredScope::write("management-api", "profiles").within(Area::Profiles)),
    ("write data planes", RequiredScope::write("management-api", "dataplanes").within(Area::DataPlanes)),
    ("participants", RequiredScope::admin("management-api").within(Area::Participants)),
    ("configuration", RequiredScope::admin("management-api").within(Area::Configuration)),
    ("DCP scopes", RequiredScope::admin("management-api").within(Area::DcpScopes)),
    ("expressions", RequiredScope::admin("management-api").within(Area::Installation)),
    (
        "request credentials",
        RequiredScope::write("identity-api", "credentials").within(Area::CredentialRequests),
    ),
    ("read credentials", RequiredScope::read("identity-api", "credentials")),
    ("read holders", RequiredScope::read("issuer-admin-api", "holders")),
    ("write policies", RequiredScope::write("management-api", "policies")),
    ("write definitions", RequiredScope::write("management-api", "contractdefinitions")),
    ("read catalog", RequiredScope::read("management-api", "catalog")),
    ("write negotiations", RequiredScope::write("management-api", "negotiations")),
    ("read agreements", RequiredScope::read("management-api", "agreements")),
    ("read transfers", RequiredScope::read("management-api", "transfers")),
    ("read events", RequiredScope::every("management-api", Action::Read)),
    ("read key pairs", RequiredScope::read("identity-api", "keypairs")),
    ("read DIDs", RequiredScope::read("identity-api", "dids").within(Area::Participants)),
    ("make clients", RequiredScope::admin("identity-api").within(Area::Participants)),
    ("signing keys", RequiredScope::admin("identity-api").within(Area::Installation)),
    ("write holders", RequiredScope::write("issuer-admin-api", "holders")),
    ("write credentials", RequiredScope::write("identity-api", "credentials")),
];

fn letter(result: Result<bool, Forbidden>) -> char {
    match result {
        Ok(false) => '+',
        Ok(true) => 'a',
        Err(Forbidden::Scope(_)) => 's',
        Err(Forbidden::Role(_)) => 'r',
        Err(Forbidden::Owner) => 'o',
    }
}

fn cell(auth: &Authenticator, principal: &Principal, required: &RequiredScope) -> String {
    let context = |id: &str| {
        let id = ParticipantContextId::parse(id).expect("legal");
        auth.participant(principal, &id, required).map(|scope| {
            assert_eq!(scope.participant(), &id, "a scope of another context was minted");
            scope.actor().reason.is_some()
        })
    };
    let operator = auth.operator(principal, required).map(|_| false);
    [context("acme"), context("other"), operator].map(letter).iter().collect()
}

async fn contexts(auth: &Authenticator, idp: &Idp, title: &str, claims: &Value) -> String {
    let mut text = format!("\n{title}\n{:22}", "");
    let mut principals = Vec::new();
    for (name, scope) in SCOPES {
        write!(text, "{name:>15}").expect("a String takes text");
        let mut claims = claims.clone();
        claims["scope"] = json!(scope);
        principals.push(principal(auth, idp, &claims).await);
    }
    for (name, required) in REQUIRED {
        write!(text, "\n{name:22}").expect("a String takes text");
        for principal in &principals {
            write!(text, "{:>15}", cell(auth, principal, &required)).expect("a String takes text");
        }
    }
    text + "\n"
}

async fn tenants(auth: &Authenticator, idp: &Idp) -> String {
    let mut text = "\nManagement plane. Each cell: tenant t1, tenant t2, the installation.\n".to_owned();
    let whos = [
        json!({}),
        json!({"role": "admin"}),
        json!({"role": "provisioner"}),
        json!({"role": "participant"}),
        json!({"tenant_id": "t1"}),
        json!({"tenant_id": "t1", "role": "admin"}),
        json!({"tenant_id": "t1", "role": "participant"}),
    ];
    for who in whos {
        write!(text, "{:45}", who.to_string()).expect("a String takes text");
        for scope in ["read", "write"] {
            let mut claims = who.clone();
            claims["scope"] = json!(format!("tenant-manager-api:{scope}"));
            let principal = principal(auth, idp, &claims).await;
            for action in [Action::Read, Action::Write] {
                let required = RequiredScope::every("tenant-manager-api", action);
                let tenant = |id: &str| {
                    let id = TenantId::parse(id).expect("legal");
                    auth.tenant(&principal, &id, &required).map(|scope| {
                        assert_eq!(scope.tenant(), &id, "a scope of another tenant was minted");
                        false
                    })
                };
                let operator = auth.operator(&principal, &required).map(|_| false);
                let cell: String = [tenant("t1"), tenant("t2"), operator].map(letter).iter().collect();
                write!(text, "  {scope}→{} {cell}", action.name()).expect("a String takes text");
            }
        }
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn the_matrix_is_the_golden_one() {
    let idp = Idp::new(ISSUER, Algorithm::Es256);
    let auth = authenticator(&idp);
    let mut text = LEGEND.to_owned();
    text += &contexts(&auth, &idp, "no role, sub = own context", &json!({"sub": "acme"})).await;
    for role in ["participant", "provisioner", "admin"] {
        let claims = json!({"sub": "user", "role": role, "participant_context_id": "acme"});
        text +=
            &contexts(&auth, &idp, &format!("role = {role}, participant_context_id = own context"), &claims)
                .await;
    }
    let claims = json!({"sub": "user", "tenant_id": "t1", "participant_context_id": "acme"});
    text += &contexts(&auth, &idp, "no role, restricted to a tenant", &claims).await;
    text += &tenants(&auth, &idp).await;
    let owners = Owners { participants: vec!["acme".parse().expect("legal")], ..Owners::default() };
    let limits = IssuerLimits { owners: Some(owners), ..IssuerLimits::default() };
    let confined = Authenticator::new(scopes(), vec![idp.trusted().limits(limits)], clock().1);
    for (title, claims) in [
        ("no role, by an issuer that speaks for this context alone", json!({"sub": "acme"})),
        (
            "role = participant, by an issuer that speaks for this context alone",
            json!({"sub": "user", "role": "participant", "participant_context_id": "acme"}),
        ),
    ] {
        text += &contexts(&confined, &idp, title, &claims).await;
    }

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/authorisation.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    assert!(text == golden, "the matrix is another one:\n{text}");
}

#[tokio::test]
async fn a_provisioner_reads_no_contents_whatever_its_scopes_say() {
    let idp = Idp::new(ISSUER, Algorithm::Es256);
    let auth = authenticator(&idp);
    let scope = "management-api:admin identity-api:admin issuer-admin-api:admin";
    let claims =
        json!({"sub": "acme", "role": "provisioner", "participant_context_id": "acme", "scope": scope});
    let provisioner = principal(&auth, &idp, &claims).await;
    let acme = ParticipantContextId::parse("acme").expect("legal");
    for (name, required) in REQUIRED.iter().filter(|(_, required)| required.area() == Area::Contents) {
        let refused = auth.participant(&provisioner, &acme, required).map(|_| ());
        assert_eq!(refused, Err(Forbidden::Role(*required)), "{name}");
        assert!(auth.operator(&provisioner, required).is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_refusal_says_the_same_for_every_other_context() {
    let idp = Idp::new(ISSUER, Algorithm::Es256);
    let auth = authenticator(&idp);
    let claims = json!({"sub": "acme", "scope": "management-api:write"});
    let acme = principal(&auth, &idp, &claims).await;
    let (_, required) = REQUIRED[1];
    for other in ["other", "ACME", "acme ", "acm", "no-such-context"] {
        let other = ParticipantContextId::parse(other).expect("legal");
        let refused = auth.participant(&acme, &other, &required).expect_err("not its own");
        assert_eq!(refused.to_string(), "User is not authorized to access this resource.", "{other}");
    }
}

#[tokio::test]
async fn an_administrator_leaves_a_reason() {
    let idp = Idp::new(ISSUER, Algorithm::Es256);
    let auth = authenticator(&idp);
    let claims = json!({"sub": "root", "role": "admin", "scope": "management-api:read"});
    let admin = principal(&auth, &idp, &claims).await;
    let (_, required) = REQUIRED[0];
    let other = ParticipantContextId::parse("other").expect("legal");
    let scope = auth.participant(&admin, &other, &required).expect("an admin may");
    assert_eq!(scope.actor().subject, "root");
    assert_eq!(scope.actor().reason.as_deref(), Some("management-api:assets:read as admin"));
}
