//! An operator looks at the keys of the token service, replaces them, and revokes one.

use heddle_e2e::{Server, answer_to, client};
use heddle_outbound::{Authorization, Request};
use http::Method;
use serde_json::{Value, json};

const KEYS: &str = "/oauth/keys";

fn states(keys: &Value) -> Vec<&str> {
    let keys = keys["keys"].as_array().expect("a list").iter();
    keys.map(|key| key["state"].as_str().expect("a state")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_replaces_the_signing_keys_and_nobody_else_does() {
    let server = Server::start("").await;
    let operator = client(server.credentials(), "keys");
    let first = operator.get(KEYS).await.expect("the keys");
    assert_eq!(states(&first), ["signing"]);

    // Whoever administers participants alone does not reach them; nor does nobody, nor a token that is none.
    let new = json!({"participantContextId": "acme"});
    let acme = operator.create("acme", "/oauth/clients", &new).await.expect("a client");
    let text = |name: &str| acme[name].as_str().expect("a text").to_owned();
    let acme = operator.as_client(text("clientId"), text("clientSecret"));
    let url = format!("{}{KEYS}", operator.base());
    for method in [Method::GET, Method::POST] {
        let request = || Request::new(method.clone(), url.clone()).json_of(&json!({}));
        let refused = acme.send(request).await.expect_err("it is not its business");
        assert_eq!(refused.status(), Some(403), "{method}");
        assert_eq!(answer_to(request()).await.status, 401, "{method}");
        let stranger = request().authorization(Authorization::bearer("a.b.c"));
        assert_eq!(answer_to(stranger).await.status, 401, "{method}");
    }

    let rotated = operator.create("rotate", KEYS, &json!({})).await.expect("a rotation begins");
    assert_eq!(states(&rotated), ["signing", "announced"]);
    let again = operator.create("rotate", KEYS, &json!({})).await.expect("the first answer");
    assert_eq!(again, rotated);
    let other = operator.create("another", KEYS, &json!({})).await.expect("one is under way");
    assert_eq!(other, rotated);
    let published = operator.get("/oauth/jwks").await.expect("the published keys");
    assert_eq!(published["keys"].as_array().map(Vec::len), Some(2), "{published}");

    // The key that signs is in wrong hands: everything under it is refused, the operator's own token too.
    let kid = rotated["keys"][0]["kid"].as_str().expect("a name").to_owned();
    let gone = format!("{url}/{kid}");
    operator.send(|| Request::new(Method::DELETE, gone.as_str())).await.expect("it is revoked");
    assert_eq!(operator.get(KEYS).await.expect_err("its token has ended").status(), Some(401));
    let anew = client(server.credentials(), "keys anew");
    let keys = anew.get(KEYS).await.expect("the keys");
    assert_eq!(states(&keys), ["signing"], "the announced one was in the same hands");
    assert_ne!(keys["keys"][0]["kid"], rotated["keys"][1]["kid"]);
    let missing = anew.send(|| Request::new(Method::DELETE, gone.as_str())).await.expect_err("it is gone");
    assert_eq!(missing.status(), Some(404));
    server.stop().await;
}
