//! What an agent is given, and what it answers.

use std::time::Duration;

use heddle_ids::OrchestrationId;
use heddle_outbound::RetryClass;
use ring::digest::{SHA256, digest};
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
    /// What a failed call means for the activity.
    #[must_use]
    pub fn of_failure(error: &CallError) -> Self {
        match error {
            CallError::Call(error) => match error.class() {
                RetryClass::Retry { after } => Self::Retry { error: error.to_string(), after },
                RetryClass::RetryBriefly | RetryClass::Final => Self::Fatal(error.to_string()),
            },
            CallError::Token(error) => Self::Retry { error: error.to_string(), after: None },
        }
    }
}

/// Something that an activity needs and nobody has provided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the activity needs '{key}' {expected}; neither the manifest nor an earlier activity provides it")]
pub struct MissingValue {
    key: String,
    expected: &'static str,
}

impl From<MissingValue> for ActivityResult {
    fn from(missing: MissingValue) -> Self {
        Self::Fatal(missing.to_string())
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

    /// An idempotency key for one step of this activity: the same in every run of it.
    #[must_use]
    pub fn key(&self, step: &str) -> String {
        let text = format!("{}/{}/{step}", self.orchestration, self.activity);
        digest(&SHA256, text.as_bytes()).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// A value of the orchestration.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.changed.get(key).or_else(|| self.values.get(key))
    }

    /// A text that must be there.
    pub fn text(&self, key: &str) -> Result<String, MissingValue> {
        let missing = || MissingValue { key: key.to_owned(), expected: "(a text)" };
        self.value(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(missing)
    }

    /// A value of some type that must be there.
    pub fn typed<T: DeserializeOwned>(&self, key: &str) -> Result<T, MissingValue> {
        let missing = || MissingValue { key: key.to_owned(), expected: "(in its documented shape)" };
        let value = self.value(key).ok_or_else(missing)?;
        T::deserialize(value).map_err(|_| missing())
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
        assert_eq!(context(1).key("s"), context(2).key("s"));
        assert_ne!(context(1).key("s"), context(1).key("t"));
    }

    #[test]
    fn changes_are_seen_at_once_and_missing_values_are_named() {
        let mut context = context(1);
        context.set_output("b", "2");
        assert_eq!(context.text("b").as_deref(), Ok("2"));
        assert!(context.text("c").expect_err("missing").to_string().contains("'c'"));
        assert_eq!(context.vpa_properties("cfm.issuer").get("x"), Some(&json!(1)));
        assert!(context.vpa_properties("cfm.connector").is_empty());
        let (changed, outputs) = context.into_changes();
        assert_eq!(changed, outputs);
    }
}
