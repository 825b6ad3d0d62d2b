//! What arrives at the moment in which a participant context is deleted.

use heddle_store::{Aggregate, Query};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    gate::What,
    issuance::{REQUESTS, STORAGE, wanted},
    offers::{OFFERS, object, offer},
    peer::{Peer, delivery},
    support::World,
};

const TYPE: &str = "MembershipCredential";
const CONTEXT: &str = "/api/identity/v1beta/participants/acme";

/// Rows of a kind, as far as they can be counted.
macro_rules! counted {
    ($($name:ident = $kind:literal;)+) => {$(
        #[derive(Serialize, Deserialize)]
        struct $name(Value);

        impl Aggregate for $name {
            const KIND: &'static str = $kind;

            fn id(&self) -> &str {
                ""
            }
        }
    )+};
}

counted! {
    Offers = "credential-offer";
    Credentials = "credential";
    Requests = "credential-request";
}

/// A participant `acme` and an issuer from which it takes everything.
struct Scene {
    world: World,
    issuer: Peer,
    did: heddle_did::Did,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        let (world, issuer) = (World::start().await, Peer::start("issuer").await);
        let settings = json!({"acceptUnsolicitedFrom": [issuer.did.as_str()]});
        let (did, token) = world.join_with("acme", &settings).await;
        Self { world, issuer, did, token }
    }

    /// Something of this kind arrives; gives the status that it is answered with.
    async fn send(&self, kind: &str) -> u16 {
        let Self { world, issuer, did, token } = self;
        let bearer = issuer.token(did, &json!({}));
        let call = match kind {
            Offers::KIND => {
                world.post(OFFERS).bearer(&bearer).json(&offer(&json!(issuer.did.as_str()), &object()))
            }
            Credentials::KIND => {
                let message = delivery("unasked", &[(TYPE, &issuer.credential(TYPE, did))]);
                world.post(STORAGE).bearer(&bearer).json(&message)
            }
            _ => world.post(REQUESTS).bearer(token).json(&wanted(issuer, "pid-1")),
        };
        call.send().await.status
    }

    async fn delete(&self) -> u16 {
        self.world.call(Method::DELETE, CONTEXT).bearer(&self.world.admin().await).send().await.status
    }

    /// Everything that is left of the context once all jobs have run.
    async fn left(&self) -> u64 {
        self.world.drain().await;
        let own = self.world.participant("acme");
        let (mut transaction, all) = (self.world.store.begin(&own), Query::default());
        transaction.count::<Offers>(&all).await.expect("counts")
            + transaction.count::<Credentials>(&all).await.expect("counts")
            + transaction.count::<Requests>(&all).await.expect("counts")
    }
}

#[tokio::test]
async fn nothing_is_stored_for_a_context_that_is_gone_meanwhile() {
    for (kind, refused) in [(Offers::KIND, 404), (Credentials::KIND, 404), (Requests::KIND, 503)] {
        let scene = Scene::new().await;
        let mut held = scene.world.gate.commits.hold(What::Puts(kind));
        let (status, ()) = futures::join!(scene.send(kind), async {
            held.reached().await;
            assert_eq!(scene.delete().await, 204, "{kind}");
            held.go();
        });
        assert_eq!(status, refused, "{kind}");
        assert_eq!(scene.left().await, 0, "{kind}");
    }
}

#[tokio::test]
async fn what_is_stored_while_a_deletion_is_under_way_goes_with_the_context() {
    for (kind, taken) in [(Offers::KIND, 200), (Credentials::KIND, 200), (Requests::KIND, 201)] {
        let scene = Scene::new().await;
        let mut held = scene.world.gate.commits.hold(What::Deletes("holder-context"));
        let (status, ()) = futures::join!(scene.delete(), async {
            held.reached().await;
            assert_eq!(scene.send(kind).await, taken, "{kind}");
            if kind == Requests::KIND {
                scene.issuer.next_request().await.answer.send((201, None)).expect("waits");
                scene.world.event("acme", "credential.request.requested").await;
            }
            held.go();
        });
        assert_eq!(status, 204, "{kind}");
        assert_eq!(scene.left().await, 0, "{kind}");
    }
}
