//! An organisation in the dataspace that holds no credential.

use heddle::demo::{founding::CREDENTIAL, onboarding::Organisation};
use heddle_e2e::{Answer, Peer, Scene, Server, postgres};
use http::Method;
use serde_json::{Value, json};

use crate::party::{Party, timeless};

const DSP: &str = "https://w3id.org/dspace/2025/1/context.jsonld";
const ASSET: &str = "for-members";
const ABSENT: &str = "never-there";

struct Cast {
    provider: Party,
    member: Party,
    outsider: Party,
}

async fn cast(server: &Server) -> Cast {
    let scene = Scene::found(&server.credentials(), "outsider").await;
    let party = |organisation| Party::new(&scene.operator, organisation);
    let provider = party(scene.onboard("provider").await);
    provider.publish(ASSET).await;
    let member = party(scene.onboard("member").await);
    let outsider = party(scene.onboard_without_credential("outsider").await);
    Cast { provider, member, outsider }
}

/// `offer` under another id.
fn renamed(offer: &Value, id: &str) -> Value {
    let mut renamed = offer.clone();
    renamed["@id"] = json!(id);
    renamed
}

/// What the outsider asks for: the real offer as a member was shown it, its name as one can guess it, an offer that
/// was made up for the asset, and, first, one for a dataset that does not exist.
fn requests(real: &Value) -> [(&'static str, Value); 4] {
    [
        (ABSENT, renamed(real, &format!("offer-{ABSENT}:{ABSENT}:1"))),
        (ASSET, real.clone()),
        (ASSET, renamed(real, &format!("offer-{ASSET}:{ASSET}:1"))),
        (ASSET, renamed(real, "made:up:1")),
    ]
}

async fn a_member_sees_the_asset_and_negotiates_it(cast: &Cast) -> Value {
    let Cast { provider, member, .. } = cast;
    let dataset = member.dataset(&provider.organisation, ASSET).await;
    assert_eq!((dataset.status, &dataset.body["@id"]), (200, &json!(ASSET)), "{:?}", dataset.body);
    let offer =
        member.offer_of(&provider.organisation, ASSET).await.expect("the member is offered the asset");
    let ended = member.negotiate(&provider.organisation, ASSET, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);
    assert_eq!(provider.denials().await, Vec::<Value>::new(), "a member is not denied");
    offer
}

async fn the_outsider_sees_nothing(cast: &Cast) {
    let Cast { provider, outsider, .. } = cast;
    let catalog = outsider.catalog(&provider.organisation).await;
    assert!(!catalog.body.to_string().contains(ASSET), "{:?}", catalog.body);
    let dataset = outsider.dataset(&provider.organisation, ASSET).await;
    assert_eq!(dataset.status, 404, "{:?}", dataset.body);
    let absent = outsider.dataset(&provider.organisation, ABSENT).await;
    assert_eq!(told(&dataset, &[ASSET]), told(&absent, &[ABSENT]));

    let peer = Peer::new(&outsider.organisation);
    let get = async |id: &str| {
        let path = format!("/catalog/datasets/{id}");
        peer.ask(&provider.organisation, (Method::GET, &path, None), &scope()).await
    };
    let (dataset, absent) = (get(ASSET).await, get(ABSENT).await);
    assert_eq!((dataset.status, &dataset.body["@type"]), (404, &json!("CatalogError")), "{dataset:?}");
    assert_eq!(dataset, absent);
}

/// As bytes on the wire: status, headers and body of the answers to a request that the outsider makes by itself.
async fn peers_are_answered_alike(cast: &Cast, offer: &Value) {
    let Cast { provider, outsider, .. } = cast;
    let peer = Peer::new(&outsider.organisation);
    let mut answers = Vec::new();
    for (index, (asset, offer)) in requests(offer).into_iter().enumerate() {
        let pid = format!("urn:uuid:00000000-0000-4000-8000-00000000000{index}");
        let message = contract_request(&outsider.organisation, (&pid, asset), &offer);
        let what = (Method::POST, "/negotiations/request", Some(&message));
        let answer = peer.ask(&provider.organisation, what, &scope()).await;
        answers.push(told(&answer, &[&pid]));
    }
    assert_eq!((answers[0].status, &answers[0].body["@type"]), (404, &json!("ContractNegotiationError")));
    for answer in &answers[1..] {
        assert_eq!(answer, &answers[0]);
    }
}

fn contract_request(consumer: &Organisation, (pid, asset): (&str, &str), offer: &Value) -> Value {
    let mut offer = offer.clone();
    offer["@type"] = json!("Offer");
    offer["target"] = json!(asset);
    json!({
        "@context": [DSP], "@type": "ContractRequestMessage", "consumerPid": pid, "offer": offer,
        "callbackAddress": consumer.protocol(),
    })
}

/// What the outsider's own process tells it ends with the same answer, whatever it asked for.
async fn its_processes_end_alike(cast: &Cast, offer: &Value) {
    let Cast { provider, outsider, .. } = cast;
    let mut told = Vec::new();
    for (asset, offer) in requests(offer) {
        let ended = outsider.negotiate(&provider.organisation, asset, &offer).await;
        assert_eq!(ended.state(), "TERMINATED");
        let detail = ended.negotiation["errorDetail"].as_str().expect("a reason");
        assert!(detail.contains("404") && detail.contains("ContractNegotiationError"), "{detail}");
        let entries = ended.trace["entries"].as_array().expect("a list");
        let refused = entries.iter().find(|entry| entry["kind"] == "refused").expect("the refusal is traced");
        assert!(detail.ends_with(refused["reason"].as_str().expect("a reason")), "{refused}, {detail}");
        told.push(ended.told(&[asset]));
    }
    for other in &told[1..] {
        assert_eq!(other, &told[0]);
    }
}

/// Each request of the outsider's left the provider a trace that says what was missing, and no process.
async fn the_provider_reads_why(cast: &Cast) {
    let Cast { provider, outsider, .. } = cast;
    assert_eq!(provider.negotiations().await, 1, "only the member's");
    let denials = provider.denials().await;
    let of = |request: &str, subject: &str| {
        let ours =
            denials.iter().filter(|denial| denial["request"] == request && denial["subject"] == subject);
        ours.cloned().map(timeless).collect::<Vec<Value>>()
    };
    let (asked, absent) = (of("negotiation", ASSET), of("negotiation", ABSENT));
    assert_eq!((asked.len(), absent.len()), (6, 2), "three by itself, three by its processes");
    assert_eq!(of("catalog", ASSET).len(), 2);
    for denial in asked.iter().chain(&of("catalog", ASSET)) {
        assert_eq!(denial["counterPartyId"], outsider.organisation.did.as_str());
        let reason = denial["reason"].as_str().expect("a reason");
        assert!(reason.contains(CREDENTIAL), "{reason}");
        let checks = denial["entries"][0]["checks"].as_array().expect("its checks");
        let mut failed = checks.iter().filter_map(|check| check["verdict"]["failed"].as_str());
        assert!(failed.any(|detail| detail.contains(CREDENTIAL)), "{checks:?}");
    }
}

fn scope() -> String {
    format!("org.eclipse.dspace.dcp.vc.type:{CREDENTIAL}:read")
}

/// The answer, with what was asked for taken out.
fn told(answer: &Answer, asked: &[&str]) -> Answer {
    let mut text = answer.body.to_string();
    for own in asked {
        text = text.replace(own, "<asked>");
    }
    let mut headers = answer.headers.clone();
    // It counts the letters of what was asked for, which is taken out.
    headers.remove("content-length");
    Answer { body: serde_json::from_str(&text).expect("JSON as before"), headers, status: answer.status }
}

async fn play(settings: &str) {
    let server = Server::start(settings).await;
    let cast = cast(&server).await;
    let offer = a_member_sees_the_asset_and_negotiates_it(&cast).await;
    the_outsider_sees_nothing(&cast).await;
    peers_are_answered_alike(&cast, &offer).await;
    its_processes_end_alike(&cast, &offer).await;
    the_provider_reads_why(&cast).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_credential_there_is_nothing_on_sqlite() {
    play("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_credential_there_is_nothing_on_postgresql() {
    play(&postgres().await).await;
}
