//! Several issuers at once, each with its keys, clock, claims and bounds.

use heddle_auth::{
    Action, AudienceRule, Authenticator, ClaimNames, Forbidden, IssuerLimits, Owners, RequiredScope, Role,
    ScopeSet, TrustedIssuer, Unauthenticated,
};
use heddle_ids::{ParticipantContextId, TenantId};
use heddle_jose::Algorithm;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

use crate::support::{AUDIENCE, Idp, NOW, World, clock, scopes};

const ASSETS_WRITE: RequiredScope = RequiredScope::write("management-api", "assets");

fn issuer(idp: &Idp) -> TrustedIssuer {
    TrustedIssuer::external(
        idp.name.as_str(),
        AudienceRule::Contains(AUDIENCE.to_owned()),
        Arc::new(idp.keys()),
    )
}

fn trusting(issuers: Vec<TrustedIssuer>) -> Authenticator {
    Authenticator::new(scopes(), issuers, clock().1)
}

#[tokio::test]
async fn each_issuer_is_believed_under_its_own_keys_alone() {
    let (a, b) =
        (Idp::new("https://a.example", Algorithm::Es256), Idp::new("https://b.example", Algorithm::EdDsa));
    let world = World::new().await;
    let auth = trusting(vec![world.service.trusted_issuer(), issuer(&a), issuer(&b)]);
    let client = world.client(&world.participant("acme"), heddle_auth::NewClient::participant()).await;
    let own = world.token(&client.expect("made")).await.expect("given").token;
    for token in [a.token(&json!({})), b.token(&json!({})), own] {
        assert!(auth.authenticate(&token).await.is_ok());
    }
    // Each signs in the name of the other, and of ourselves.
    for (idp, name) in [(&a, b.name.as_str()), (&b, a.name.as_str()), (&a, AUDIENCE)] {
        let refused = auth.authenticate(&idp.token(&json!({"iss": name}))).await.expect_err("a forgery");
        assert!(matches!(refused, Unauthenticated::Token(_) | Unauthenticated::Key), "{refused:?}");
    }
    // The same subject of two issuers is two principals.
    let key = async |idp: &Idp| auth.authenticate(&idp.token(&json!({}))).await.expect("good").key();
    assert_ne!(key(&a).await, key(&b).await);
}

#[tokio::test]
async fn clocks_may_differ_as_far_as_the_operator_says() {
    let idp = Idp::new("https://a.example", Algorithm::Es256);
    for (skew, seconds) in [(None, 5), (Some(60), 60), (Some(0), 0)] {
        let trusted = issuer(&idp);
        let trusted = match skew {
            Some(skew) => trusted.clock_skew(Duration::from_secs(skew)),
            None => trusted,
        };
        let auth = trusting(vec![trusted]);
        for (claim, sign) in [("exp", -1), ("nbf", 1), ("iat", 1)] {
            // A token has expired at the very second that it names.
            let edge = if claim == "exp" { NOW + sign * seconds + 1 } else { NOW + sign * seconds };
            assert!(auth.authenticate(&idp.token(&json!({claim: edge}))).await.is_ok(), "{claim} {seconds}");
            let beyond = edge + sign;
            let refused = auth.authenticate(&idp.token(&json!({claim: beyond}))).await;
            assert!(matches!(refused, Err(Unauthenticated::Token(_))), "{claim} {seconds}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn claims_have_the_names_that_the_operator_says() {
    let idp = Idp::new("https://a.example", Algorithm::Es256);
    let names = ClaimNames {
        role: "realm_access.roles".to_owned(),
        role_values: vec![("dataspace-user".to_owned(), Role::Participant)],
        participant: Some("org".to_owned()),
        ..ClaimNames::default()
    };
    let auth = trusting(vec![issuer(&idp).claims(names)]);
    let claims =
        json!({"realm_access": {"roles": ["offline_access", "dataspace-user"]}, "org": ["acme"], "sub": "u"});
    let principal = auth.authenticate(&idp.token(&claims)).await.expect("good");
    assert_eq!(principal.role(), Some(Role::Participant));
    assert_eq!(principal.participant().map(ParticipantContextId::as_str), Some("acme"));
    let without = auth.authenticate(&idp.token(&json!({"sub": "acme"}))).await.expect("good");
    assert_eq!(without.participant(), None, "its subjects are people");
    let id_token = auth.authenticate(&idp.token(&json!({"typ": "ID"}))).await;
    assert_eq!(id_token, Err(Unauthenticated::Type), "a token about a person opens nothing");
}

#[tokio::test]
async fn nobody_mints_more_than_was_granted() {
    let idp = Idp::new("https://a.example", Algorithm::Es256);
    let limits = IssuerLimits {
        roles: Some(vec![Role::Participant]),
        roleless: false,
        scopes: Some(ScopeSet::of_claim("management-api:assets:write identity-api:read")),
        owners: None,
    };
    let auth = trusting(vec![issuer(&idp).limits(limits)]);
    for claims in [json!({"role": "admin"}), json!({"role": "provisioner"}), json!({})] {
        let refused = auth.authenticate(&idp.token(&claims)).await;
        assert_eq!(refused, Err(Unauthenticated::Beyond("this role")), "{claims}");
    }
    let scope = "management-api:admin identity-api:write tenant-manager-api:write";
    let claims = json!({"role": "participant", "scope": scope});
    let principal = auth.authenticate(&idp.token(&claims)).await.expect("good");
    assert_eq!(principal.scopes(), &ScopeSet::of_claim("management-api:assets:write identity-api:read"));
    let context = ParticipantContextId::parse("acme").expect("legal");
    assert!(auth.participant(&principal, &context, &ASSETS_WRITE).is_ok());
    let policies = RequiredScope::read("management-api", "policies");
    assert_eq!(
        auth.participant(&principal, &context, &policies).map(|_| ()),
        Err(Forbidden::Scope(policies))
    );
}

#[tokio::test]
async fn an_issuer_that_speaks_for_some_reaches_nobody_else() {
    let idp = Idp::new("https://a.example", Algorithm::Es256);
    let owners = Owners {
        participants: vec!["acme".parse().expect("legal")],
        tenants: vec!["t1".parse().expect("legal")],
    };
    let limits = IssuerLimits { owners: Some(owners), ..IssuerLimits::default() };
    let auth = trusting(vec![issuer(&idp).limits(limits)]);
    let everything =
        "management-api:admin tenant-manager-api:write provision-manager-api:write signaling:admin";
    let token = |claims: Value| {
        let mut claims = claims;
        claims["scope"] = json!(everything);
        idp.token(&claims)
    };
    for claims in [
        json!({"role": "admin"}),
        json!({"role": "provisioner", "participant_context_id": "acme"}),
        json!({"participant_context_id": "other"}),
        json!({"sub": "other"}),
        json!({"tenant_id": "t2"}),
        json!({"tenant_id": "t2", "participant_context_id": "acme"}),
        json!({"tenant_id": "t1", "participant_context_id": "other"}),
    ] {
        let refused = auth.authenticate(&token(claims.clone())).await;
        assert!(matches!(refused, Err(Unauthenticated::Beyond(_))), "{claims}: {refused:?}");
    }
    let context = |id: &str| ParticipantContextId::parse(id).expect("legal");
    let tenant = |id: &str| TenantId::parse(id).expect("legal");
    let tenants_write = RequiredScope::every("tenant-manager-api", Action::Write);
    let participants = RequiredScope::admin("management-api").within(heddle_auth::Area::Participants);

    let acme = auth.authenticate(&token(json!({}))).await.expect("one of its own");
    assert!(auth.participant(&acme, &context("acme"), &ASSETS_WRITE).is_ok());
    assert!(auth.participant(&acme, &context("other"), &ASSETS_WRITE).is_err());
    assert!(auth.participant(&acme, &context("acme"), &participants).is_err(), "it administers nothing");
    assert!(auth.operator(&acme, &participants).is_err() && auth.operator(&acme, &tenants_write).is_err());
    assert!(auth.tenant(&acme, &tenant("t1"), &tenants_write).is_err(), "its token names no tenant");

    let t1 = auth.authenticate(&token(json!({"tenant_id": "t1"}))).await.expect("one of its own");
    assert!(auth.tenant(&t1, &tenant("t1"), &tenants_write).is_ok());
    assert!(auth.tenant(&t1, &tenant("t2"), &tenants_write).is_err());
    assert!(auth.operator(&t1, &tenants_write).is_err());
}
