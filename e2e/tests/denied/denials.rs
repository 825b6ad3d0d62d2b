//! What a provider keeps of those whom it has denied something.

use serde_json::Value;

/// Those of a provider's denials that are about one kind of request for one thing.
pub fn denials_of(denials: &[Value], request: &str, subject: &str) -> Vec<Value> {
    let ours = denials.iter().filter(|denial| denial["request"] == request && denial["subject"] == subject);
    ours.cloned().collect()
}

/// How many requests the denials stand for: the same refusal, repeated, is one denial.
pub fn times<'a>(denials: impl IntoIterator<Item = &'a Value>) -> u64 {
    denials.into_iter().map(|denial| denial["times"].as_u64().expect("how often")).sum()
}
