//! What an agent is given, and what it answers.

use std::time::Duration;

use heddle_ids::OrchestrationId;
use heddle_outbound::RetryClass;
use ring::digest::{Context, SHA256};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::CallError;

/// What an activity came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivityResult {
    /// It waits for somebody else, who will say when it is complete.
    Wait,
    /// It is done.
    Complete,
    /// It goes on after a while; this is no failure.
    Schedule(Duration),
    /// It failed and may succeed later.
    Retry {
        /// What went wrong.
        error: String,
        /// How long to wait; the Provision Manager decides if nothing is said.
        after: Option<Duration>,
    },
    /// It can never succeed.
    Fatal(String),
}

impl ActivityResult {
    /// What a failed call means for the activity: networks, timeouts, 5xx, 408, 425 and 429 pass, and so does a missing or
    /// refused token (the next run gets a new one); every other answer is final, with the sentence that came with it.
    #[must_use]
    pub fn of_failure(error: &CallError) -> Self {
        let text = error.to_string();
        match error {
            CallError::Token(_) => Self::Retry { error: text, after: None },
            CallError::Call(_) if error.status() == Some(401) => Self::Retry { error: text, after: None },
            CallError::Call(call) => match call.class() {
                RetryClass::Retry { after } => Self::Retry { error: text, after },
                RetryClass::RetryBriefly | RetryClass::Final => Self::Fatal(text),
            },
        }
    }
}

/// Done, or how it failed: so that an activity can be written with `?`.
impl From<Result<(), Self>> for ActivityResult {
    fn from(result: Result<(), Self>) -> Self {
        result.map_or_else(|failure| failure, |()| Self::Complete)
    }
}

impl From<CallError> for ActivityResult {
    fn from(error: CallError) -> Self {
        Self::of_failure(&error)
    }
}

/// Why a value of the orchestration cannot be used. Running again would not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It is not of the type that the activity needs.
    #[error("the value '{key}' is not as the activity needs it: {reason}; correct it in the manifest")]
    Malformed {
        /// The key.
        key: String,
        /// What was expected.
        reason: String,
    },
    /// Nobody has provided it.
    #[error("the activity needs the value '{key}'; neither the manifest nor an earlier activity provides it")]
    Missing {
        /// The key.
        key: String,
    },
}

impl From<ValueError> for ActivityResult {
    fn from(error: ValueError) -> Self {
        Self::Fatal(error.to_string())
    }
}

/// One run of an activity: which, for what, with which values, and what it changes.
#[derive(Debug)]
pub struct ActivityContext {
    orchestration: OrchestrationId,
    activity: String,
    attempt: u32,
    values: Map<String, Value>,
    changed: Map<String, Value>,
    outputs: Map<String, Value>,
}

impl ActivityContext {
    /// Of a run with the values that the orchestration has at this time.
    #[must_use]
    pub fn new(
        orchestration: OrchestrationId,
        activity: String,
        attempt: u32,
        values: Map<String, Value>,
    ) -> Self {
        Self { orchestration, activity, attempt, values, changed: Map::new(), outputs: Map::new() }
    }

    /// The orchestration.
    #[must_use]
    pub fn orchestration(&self) -> &OrchestrationId {
        &self.orchestration
    }

    /// The activity within it.
    #[must_use]
    pub fn activity(&self) -> &str {
        &self.activity
    }

    /// Which run this is, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// A key for one step of this activity, 32 hex digits: the same in every run of it, and different for every other step,
    /// activity and orchestration. Good as an `Idempotency-Key`, and as an id that the activity chooses.
    #[must_use]
    pub fn idempotency_key(&self, step: &str) -> String {
        let mut hash = Context::new(&SHA256);
        for part in [self.orchestration.as_str(), &self.activity, step] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finish().as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// A value of the orchestration.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.changed.get(key).or_else(|| self.values.get(key))
    }

    /// A text that must be there.
    pub fn text(&self, key: &str) -> Result<String, ValueError> {
        self.typed(key)
    }

    /// A value that must be there.
    pub fn typed<T: DeserializeOwned>(&self, key: &str) -> Result<T, ValueError> {
        self.optional(key)?.ok_or_else(|| ValueError::Missing { key: key.to_owned() })
    }

    /// A value that may be absent (or null), but not of another type.
    pub fn optional<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ValueError> {
        let Some(value) = self.value(key).filter(|value| !value.is_null()) else { return Ok(None) };
        let malformed = |error: serde_json::Error| ValueError::Malformed {
            key: key.to_owned(),
            reason: error.to_string(),
        };
        T::deserialize(value).map(Some).map_err(malformed)
    }

    /// The properties that the tenant gave for one type of VPA, from `cfm.vpa.data`.
    #[must_use]
    pub fn vpa_properties(&self, vpa_type: &str) -> Map<String, Value> {
        let vpas = self.value("cfm.vpa.data").and_then(Value::as_array);
        let ours = vpas.into_iter().flatten().find(|vpa| vpa["vpaType"] == vpa_type);
        ours.and_then(|vpa| vpa["properties"].as_object()).cloned().unwrap_or_default()
    }

    /// Sets a value for later activities and later runs of this one.
    pub fn set_value(&mut self, key: &str, value: impl Into<Value>) {
        self.changed.insert(key.to_owned(), value.into());
    }

    /// Sets a value that whoever ordered the orchestration gets, and later activities too.
    pub fn set_output(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        self.outputs.insert(key.to_owned(), value.clone());
        self.changed.insert(key.to_owned(), value);
    }

    pub(crate) fn into_changes(self) -> (Map<String, Value>, Map<String, Value>) {
        (self.changed, self.outputs)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context(attempt: u32) -> ActivityContext {
        let values = json!({"a": "1", "cfm.vpa.data": [{"vpaType": "cfm.issuer", "properties": {"x": 1}}]});
        let Value::Object(values) = values else { unreachable!("an object") };
        let id = OrchestrationId::parse("o").expect("legal");
        ActivityContext::new(id, "act".to_owned(), attempt, values)
    }

    #[test]
    fn keys_follow_from_the_step_and_not_from_the_attempt() {
        assert_eq!(context(1).idempotency_key("s"), context(2).idempotency_key("s"));
        assert_ne!(context(1).idempotency_key("s"), context(1).idempotency_key("t"));
        let keys = |activity: &str, step| {
            let id = OrchestrationId::parse("o").expect("legal");
            ActivityContext::new(id, activity.to_owned(), 1, Map::new()).idempotency_key(step)
        };
        assert_ne!(keys("a/b", "c"), keys("a", "b/c"), "parts do not run into each other");
    }

    #[test]
    fn values_that_are_missing_or_malformed_are_named() {
        let context = context(1);
        let missing = context.text("c").expect_err("missing");
        assert_eq!(missing, ValueError::Missing { key: "c".to_owned() });
        let malformed = context.optional::<u32>("a").expect_err("a text").to_string();
        assert!(malformed.contains("'a'") && malformed.contains("u32"), "{malformed}");
        assert_eq!(context.optional::<u32>("c"), Ok(None));
        assert!(matches!(ActivityResult::from(missing), ActivityResult::Fatal(_)));
    }

    #[test]
    fn changes_are_seen_at_once() {
        let mut context = context(1);
        context.set_output("b", "2");
        context.set_value("a", "3");
        assert_eq!(context.text("b").as_deref(), Ok("2"));
        assert_eq!(context.text("a").as_deref(), Ok("3"));
        assert_eq!(context.vpa_properties("cfm.issuer").get("x"), Some(&json!(1)));
        assert!(context.vpa_properties("cfm.connector").is_empty());
        let (changed, outputs) = context.into_changes();
        assert_eq!((changed.len(), outputs.len()), (2, 1));
    }
}
