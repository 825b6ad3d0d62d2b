//! A participant context is removed at the very moment at which something is made for it.

use serde_json::json;
use tower::ServiceExt;

use crate::support::{
    BASE, PROFILE, World, asset, data_plane, definition, document, participant_document, policy, request,
};

#[tokio::test]
async fn nothing_comes_in_behind_a_removal() {
    let world = World::empty().await;
    world.admin_post("/dataspaceprofiles", &crate::support::profile_document(PROFILE)).await.is(200);
    let negotiation = document(
        "ContractRequest",
        json!({
            "counterPartyAddress": world.address("other"), "counterPartyId": "did:web:other.example",
            "profile": PROFILE,
            "policy": {"@id": "offer", "@type": "Offer", "assigner": "did:web:other.example",
                "target": "cloth", "permission": [{"action": "use"}]},
        }),
    );
    let creations = [
        ("POST", "assets", asset("cloth", &json!({}))),
        ("POST", "policydefinitions", policy("anybody", json!([]))),
        ("POST", "contractdefinitions", definition("for-all", "anybody", "anybody", &json!([]))),
        ("PUT", "dataplanes", data_plane("plane", &json!(["HttpData-PULL"]))),
        ("POST", "contractnegotiations", negotiation),
    ];
    for (number, (method, kind, body)) in creations.into_iter().enumerate() {
        let own = format!("/participants/p{number}");
        world.add_participant(&format!("p{number}")).await;
        let removal = request("DELETE", &format!("{BASE}{own}"), &format!("Bearer {}", world.admin), None);
        let router = world.router.clone();
        world.before_the_next_commit(async move {
            let removed = router.oneshot(removal).await.expect("infallible");
            assert_eq!(removed.status(), 204);
        });
        let answer = world.ask(method, &format!("{own}/{kind}"), &world.admin, Some(&body)).await;
        assert_eq!(answer.status, 503, "{kind}: {}", answer.text);
        assert!(answer.headers.contains_key("retry-after"), "{kind}");
        world.ask(method, &format!("{own}/{kind}"), &world.admin, Some(&body)).await.refused(404);
        // Until what was there is taken away, nobody can come after it.
        let again = participant_document(&format!("p{number}"));
        while world.admin_post("/participants", &again).await.status == 409 {
            tokio::task::yield_now().await;
        }
        let left = match kind {
            "dataplanes" => world.ask("GET", &format!("{own}/{kind}"), &world.admin, None).await,
            _ => world.admin_post(&format!("{own}/{kind}/request"), &document("QuerySpec", json!({}))).await,
        };
        assert_eq!(left.is(200).json(), json!([]), "{kind}");
    }
}
