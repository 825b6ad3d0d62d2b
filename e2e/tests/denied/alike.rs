//! What somebody who is denied an asset is told: the same as of an asset that does not exist.

use heddle::demo::{founding::scope_value, onboarding::Organisation};
use heddle_e2e::{Answer, Party};
use http::Method;
use serde_json::{Value, json};

/// No asset has this id.
pub const ABSENT: &str = "never-there";
const DSP: &str = "https://w3id.org/dspace/2025/1/context.jsonld";

/// Somebody who may not see an asset.
pub struct Denied<'a> {
    pub party: &'a Party,
    pub provider: &'a Party,
    pub asset: &'a str,
}

impl Denied<'_> {
    /// `offer` is a real one for the asset, as somebody else was shown it; `credentials` are the types that the party
    /// would show if it had them.
    pub async fn is_like_nothing(&self, offer: &Value, credentials: &[&str]) {
        let scopes: Vec<String> = credentials.iter().map(|name| scope_value(name)).collect();
        let scopes = scopes.join(" ");
        self.datasets_are_alike(&scopes).await;
        self.answers_are_alike(offer, &scopes).await;
        self.processes_end_alike(offer).await;
    }

    /// The requests: the real offer, its name as one can guess it, an offer that was made up for the asset, and, first,
    /// one for a dataset that does not exist.
    fn requests(&self, real: &Value) -> [(&str, Value); 4] {
        let asset = self.asset;
        let renamed = |id: String| {
            let mut renamed = real.clone();
            renamed["@id"] = json!(id);
            renamed
        };
        [
            (ABSENT, renamed(format!("offer-{ABSENT}:{ABSENT}:1"))),
            (asset, real.clone()),
            (asset, renamed(format!("offer-{asset}:{asset}:1"))),
            (asset, renamed("made:up:1".to_owned())),
        ]
    }

    async fn datasets_are_alike(&self, scopes: &str) {
        let dataset = self.party.dataset(self.provider, self.asset).await;
        assert_eq!(
            (dataset.status, &dataset.body[0]["type"]),
            (404, &json!("ObjectNotFound")),
            "{dataset:?}"
        );
        let absent = self.party.dataset(self.provider, ABSENT).await;
        assert_eq!(without(&dataset, self.asset), without(&absent, ABSENT));

        let get = async |id: &str| {
            let path = format!("/catalog/datasets/{id}");
            self.party.ask_as_peer(self.provider, (Method::GET, &path, None), scopes).await
        };
        let (dataset, absent) = (get(self.asset).await, get(ABSENT).await);
        assert_eq!((dataset.status, &dataset.body["@type"]), (404, &json!("CatalogError")), "{dataset:?}");
        assert_eq!(dataset, absent);
    }

    /// On the wire: status, headers and body of the answers to requests that the party makes by itself.
    async fn answers_are_alike(&self, offer: &Value, scopes: &str) {
        let mut answers = Vec::new();
        for (index, (asset, offer)) in self.requests(offer).into_iter().enumerate() {
            let pid = format!("urn:uuid:00000000-0000-4000-8000-00000000000{index}");
            let message = contract_request(&self.party.organisation, (&pid, asset), offer);
            let what = (Method::POST, "/negotiations/request", Some(&message));
            let answer = self.party.ask_as_peer(self.provider, what, scopes).await;
            answers.push(without(&answer, &pid));
        }
        let (status, body) = (answers[0].status, &answers[0].body);
        assert_eq!((status, &body["@type"]), (404, &json!("ContractNegotiationError")), "{body}");
        for answer in &answers[1..] {
            assert_eq!(answer, &answers[0]);
        }
    }

    /// Its own processes end with that answer, and tell it the same whatever it asked for.
    async fn processes_end_alike(&self, offer: &Value) {
        let mut told = Vec::new();
        for (asset, offer) in self.requests(offer) {
            let ended = self.party.negotiate(self.provider, asset, &offer).await;
            assert_eq!(ended.state(), "TERMINATED");
            let detail = ended.negotiation["errorDetail"].as_str().expect("a reason");
            assert!(detail.contains("404") && detail.contains("ContractNegotiationError"), "{detail}");
            let entries = ended.trace["entries"].as_array().expect("a list");
            let refused = entries.iter().find(|entry| entry["kind"] == "refused").expect("it is traced");
            assert!(detail.ends_with(refused["reason"].as_str().expect("a reason")), "{refused}, {detail}");
            told.push(ended.told(asset));
        }
        for other in &told[1..] {
            assert_eq!(other, &told[0]);
        }
    }
}

fn contract_request(consumer: &Organisation, (pid, asset): (&str, &str), mut offer: Value) -> Value {
    offer["@type"] = json!("Offer");
    offer["target"] = json!(asset);
    json!({
        "@context": [DSP], "@type": "ContractRequestMessage", "consumerPid": pid, "offer": offer,
        "callbackAddress": consumer.protocol(),
    })
}

/// The answer, with what was asked for taken out.
fn without(answer: &Answer, asked: &str) -> Answer {
    let text = answer.body.to_string().replace(asked, "<asked>");
    let mut headers = answer.headers.clone();
    // It counts the letters of what was taken out.
    headers.remove("content-length");
    Answer { body: serde_json::from_str(&text).expect("JSON as before"), headers, status: answer.status }
}
