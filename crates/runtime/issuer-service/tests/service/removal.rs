//! The end of an issuer.

use std::time::Duration;

use heddle_auth::NewClient;
use heddle_tenancy::Actor;
use http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{issuing, member, read},
    support::{ADMIN, DCP, World, soon},
};

const KINDS: [&str; 5] =
    ["holders", "attestations", "credentialdefinitions", "credentials", "issuanceprocesses"];

async fn removed(world: &World, admin: &str) {
    let mut jobs = world.store.signals().jobs();
    let all = async {
        loop {
            jobs.mark_unchanged();
            let answer = world.call(Method::DELETE, ADMIN).bearer(admin).send().await;
            if answer.status == 404 {
                return;
            }
            assert_eq!(answer.status, 202, "{}", answer.text);
            drop(tokio::time::timeout(Duration::from_millis(100), jobs.changed()).await);
        }
    };
    soon("the end of the issuer", all).await;
}

#[tokio::test]
async fn a_removed_issuer_leaves_nothing_to_who_comes_after_it() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 201);
    let credential = read(&world, &holder.delivery().await.payloads()[0]).credential().clone();
    let list = credential.status.first().expect("an entry").list_url.clone();
    world.event("issuance.delivered").await;
    let counted = async |kind: &str| {
        let answer =
            world.post(&format!("{ADMIN}/{kind}/query")).bearer(&token).json(&json!({})).send().await;
        answer.json().as_array().unwrap_or_else(|| panic!("{}", answer.text)).len()
    };
    for kind in KINDS {
        assert_eq!(counted(kind).await, 1, "{kind}");
    }
    let record = crate::fixtures::record_path(&holder.did);

    let refused = world.call(Method::DELETE, ADMIN).bearer(&token).send().await;
    assert_eq!(refused.status, 403, "no issuer removes itself");
    let operator = world.scopes.operator(Actor::new("test"));
    let new = NewClient::service(vec!["issuer-admin-api:admin".to_owned()]);
    let admin = world.token(&operator, new).await;
    removed(&world, &admin).await;

    for kind in KINDS {
        assert_eq!(counted(kind).await, 0, "{kind}");
    }
    let offered = world.get(&format!("{DCP}/metadata")).send().await.json();
    assert_eq!(offered["credentialsSupported"], json!([]));
    for path in [record.as_str(), &list] {
        let answer = world.get(path).bearer(&token).header("accept", "*/*").send().await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    assert_eq!(
        holder.ask(&world, "pid-2", &["membership-def"]).await.status,
        401,
        "it is no holder any more"
    );
    let _: Value = json!(issuing(&world).await);
    assert_eq!(counted("holders").await, 0);
}
