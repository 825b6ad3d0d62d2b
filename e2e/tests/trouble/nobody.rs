//! DIDs that stand for nobody.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle::demo::founding::did_on;
use heddle_clock::Environment;
use heddle_e2e::{Answer, Party, answer_to, made_up_offer};
use heddle_outbound::{Authorization, Request};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{assert_ended, market};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_negotiation_with_a_did_of_no_known_host_ends_and_names_the_did() {
    let market = market("nohost").await;
    let address = market.provider.organisation.protocol();
    let did = "did:web:nowhere.invalid:weaver";
    let id = market.consumer.ask((&address, did), "cloth", &made_up_offer("cloth")).await;
    let words = ["the counter-party's DID does not resolve", did, "cannot be reached"];
    assert_ended(&market.consumer, "contractnegotiations", &id, &words).await;
    market.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_negotiation_with_a_did_that_its_host_does_not_know_ends_and_names_the_did() {
    let market = market("nopath").await;
    let address = market.provider.organisation.protocol();
    let did = did_on(market.scene.operator.base(), "nobody");
    let id = market.consumer.ask((&address, &did), "cloth", &made_up_offer("cloth")).await;
    let words = ["the counter-party's DID does not resolve", &did, "404"];
    assert_ended(&market.consumer, "contractnegotiations", &id, &words).await;
    assert!(market.provider.all("contractnegotiations").await.is_empty(), "it was not bothered");
    market.server.stop().await;
}

/// A self-issued token of `did`, in order in everything but its signature, for which nobody has a key.
fn self_issued(did: &str, audience: &str) -> String {
    let now = Environment::system().now().as_seconds();
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": format!("{did}#key-1")});
    let claims = json!({
        "iss": did, "sub": did, "aud": audience, "jti": "once", "iat": now, "exp": now + 300, "token": "any",
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&header), part(&claims), URL_SAFE_NO_PAD.encode([7; 64]))
}

/// What the provider answers to a contract request of `did`.
async fn answer_of(provider: &Party, did: &str) -> Answer {
    let mut offer = made_up_offer("cloth");
    offer["@type"] = json!("Offer");
    let message = json!({
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "ContractRequestMessage",
        "consumerPid": "urn:uuid:9a1f6a0e-0000-4000-8000-000000000001", "offer": offer,
        "callbackAddress": "http://127.0.0.1:9/callback",
    });
    let organisation = &provider.organisation;
    let request = Request::post(format!("{}/negotiations/request", organisation.protocol()))
        .json_of(&message)
        .authorization(Authorization::bearer(&self_issued(did, &organisation.did)));
    answer_to(request).await
}

/// A host that knows no DID, and ends when it was asked for one.
async fn knows_nobody(listener: TcpListener) {
    let (mut socket, _) = listener.accept().await.expect("somebody asks");
    let mut request = [0; 1024];
    let length = socket.read(&mut request).await.expect("a request");
    assert!(request[..length].starts_with(b"GET /stranger/did.json "), "the document is asked for");
    let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    socket.write_all(answer).await.expect("it is answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_whose_did_does_not_resolve_is_answered_as_a_stranger() {
    let market = market("stranger").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address");
    let asked = tokio::spawn(knows_nobody(listener));
    let unknown = did_on(&format!("http://{host}"), "stranger");
    for did in [unknown.as_str(), "did:web:nowhere.invalid:stranger"] {
        let Answer { status, body, .. } = answer_of(&market.provider, did).await;
        // DSP 2025-1: who is not authenticated is answered as if nothing were there.
        assert_eq!(status, 404, "{did}: {body}");
        assert_eq!(body["@type"], "ContractNegotiationError", "{did}: {body}");
        assert_eq!(body["reason"], json!(["Not found."]), "{did}: {body}");
    }
    asked.await.expect("the document was asked for");
    assert!(market.provider.all("contractnegotiations").await.is_empty(), "there is no process");
    market.server.stop().await;
}
