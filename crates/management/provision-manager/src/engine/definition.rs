//! What can be orchestrated: activity types, and graphs of activities.

use std::collections::{BTreeMap, BTreeSet};

use heddle_agent::{DEPLOY, PARTICIPANT_CONTEXT};
use heddle_clock::Timestamp;
use heddle_ids::ID_BYTES_MAX;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Values that every deploy manifest brings, with their JSON types.
const BUILT_IN: [(&str, &str); 6] = [
    ("cfm.participant.id", "string"),
    ("cfm.vpa.data", "array"),
    ("cfm.vpa.credentials", "array"),
    ("cfm.tenant.id", "string"),
    ("cfm.dataspace.profiles", "array"),
    (PARTICIPANT_CONTEXT, "string"),
];

/// A type of activities: there is an agent for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityDefinition {
    /// Its name.
    #[serde(rename = "type")]
    pub activity_type: String,
    /// For a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON schema of the values that it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// JSON schema of the values that it sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
}

impl Aggregate for ActivityDefinition {
    const KIND: &'static str = "activity-definition";
    fn id(&self) -> &str {
        &self.activity_type
    }
}

/// One activity of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityTemplate {
    /// Its id within the graph.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub activity_type: String,
    /// The ids of the activities that must be complete before it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub depends_on: Vec<String>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A graph of activities for one orchestration type. The definitions of one template go together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrchestrationDefinition {
    /// Its key: template and type together ([`OrchestrationDefinition::key_of`]).
    pub key: String,
    /// The template that it came with.
    pub template_ref: String,
    /// The orchestration type.
    pub orchestration_type: String,
    /// For a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON schema of manifests' payloads, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// The activities.
    pub activities: Vec<ActivityTemplate>,
    /// When it was made; of several for a type the newest counts.
    pub created_at: Timestamp,
}

impl OrchestrationDefinition {
    /// The key of a definition.
    #[must_use]
    pub fn key_of(template_ref: &str, orchestration_type: &str) -> String {
        format!("{}:{template_ref}:{orchestration_type}", template_ref.len())
    }
}

impl Aggregate for OrchestrationDefinition {
    const KIND: &'static str = "orchestration-definition";

    fn id(&self) -> &str {
        &self.key
    }

    fn columns(&self) -> Columns {
        Columns { correlation: Some(self.template_ref.clone()), ..Columns::default() }
    }
}

/// Most activities of one definition.
pub const ACTIVITIES_MAX: usize = 200;

/// What is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDefinition {
    /// Too many activities.
    #[error("a definition has at most {ACTIVITIES_MAX} activities")]
    TooMany,
    /// An activity's id cannot be one.
    #[error(
        "'{0}' cannot be the id of an activity: it has 1 to {ID_BYTES_MAX} bytes and no control characters"
    )]
    Id(String),
    /// Two activities have one id.
    #[error("the activity id '{0}' is used twice")]
    Twice(String),
    /// A dependency is no activity of the graph.
    #[error(
        "the activity '{activity}' depends on '{dependency}', which is not an activity of the definition"
    )]
    UnknownDependency {
        /// The activity.
        activity: String,
        /// What it depends on.
        dependency: String,
    },
    /// The graph has a cycle.
    #[error("cycle detected: these activities wait for one another: {}", .0.join(", "))]
    Cycle(Vec<String>),
    /// An activity type is not defined.
    #[error("the activity types {} are not defined", .0.join(", "))]
    UnknownTypes(Vec<String>),
    /// A needed value is not provided.
    #[error(
        "Validation error at path [{activity}]: required input field {field} is not provided by dependent activities as output"
    )]
    MissingInput {
        /// The activity.
        activity: String,
        /// The value.
        field: String,
    },
    /// A value is provided twice.
    #[error(
        "Validation error at path [{activity}]: field {field} is duplicated in multiple dependent activities"
    )]
    DuplicateInput {
        /// The activity.
        activity: String,
        /// The value.
        field: String,
    },
    /// A value is provided with another type.
    #[error(
        "Validation error at path [{activity}]: field {field} is provided as {provided}, but must be {needed}"
    )]
    InputType {
        /// The activity.
        activity: String,
        /// The value.
        field: String,
        /// The type that it has.
        provided: String,
        /// The type that is needed.
        needed: String,
    },
}

impl OrchestrationDefinition {
    /// Checks the graph: ids, dependencies, cycles, types; for deployments also that every value that an activity needs is
    /// provided by those that it depends on.
    pub fn check(&self, known: &BTreeMap<String, ActivityDefinition>) -> Result<(), InvalidDefinition> {
        if self.activities.len() > ACTIVITIES_MAX {
            return Err(InvalidDefinition::TooMany);
        }
        let mut ids = BTreeSet::new();
        for activity in &self.activities {
            let id = &activity.id;
            if id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
                return Err(InvalidDefinition::Id(id.chars().take(80).collect()));
            }
            if !ids.insert(activity.id.as_str()) {
                return Err(InvalidDefinition::Twice(activity.id.clone()));
            }
        }
        for activity in &self.activities {
            if let Some(dependency) = activity.depends_on.iter().find(|id| !ids.contains(id.as_str())) {
                let (activity, dependency) = (activity.id.clone(), dependency.clone());
                return Err(InvalidDefinition::UnknownDependency { activity, dependency });
            }
        }
        self.check_cycles()?;
        let types: BTreeSet<&String> = self.activities.iter().map(|a| &a.activity_type).collect();
        let unknown: Vec<String> = types.into_iter().filter(|t| !known.contains_key(*t)).cloned().collect();
        if !unknown.is_empty() {
            return Err(InvalidDefinition::UnknownTypes(unknown));
        }
        if self.orchestration_type == DEPLOY { self.check_values(known) } else { Ok(()) }
    }

    fn check_cycles(&self) -> Result<(), InvalidDefinition> {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        loop {
            let ready = self.activities.iter().filter(|activity| {
                !done.contains(activity.id.as_str())
                    && activity.depends_on.iter().all(|id| done.contains(id.as_str()))
            });
            let ready: Vec<&str> = ready.map(|activity| activity.id.as_str()).collect();
            if ready.is_empty() {
                break;
            }
            done.extend(ready);
        }
        let rest = self.activities.iter().filter(|activity| !done.contains(activity.id.as_str()));
        let rest: Vec<String> = rest.map(|activity| activity.id.clone()).collect();
        if rest.is_empty() { Ok(()) } else { Err(InvalidDefinition::Cycle(rest)) }
    }

    fn check_values(&self, known: &BTreeMap<String, ActivityDefinition>) -> Result<(), InvalidDefinition> {
        for activity in &self.activities {
            let mut provided: BTreeMap<&str, &str> = BTreeMap::new();
            for dependency in &activity.depends_on {
                let other = self.activities.iter().find(|other| other.id == *dependency);
                let schema = other.and_then(|other| known.get(&other.activity_type)?.output_schema.as_ref());
                for (field, kind) in properties(schema) {
                    if provided.insert(field, kind).is_some() {
                        let (activity, field) = (activity.id.clone(), field.to_owned());
                        return Err(InvalidDefinition::DuplicateInput { activity, field });
                    }
                }
            }
            provided.extend(BUILT_IN);
            let schema = known.get(&activity.activity_type).and_then(|known| known.input_schema.as_ref());
            check_inputs(activity, schema, &provided)?;
        }
        Ok(())
    }
}

fn check_inputs(
    activity: &ActivityTemplate,
    schema: Option<&Value>,
    provided: &BTreeMap<&str, &str>,
) -> Result<(), InvalidDefinition> {
    let required = schema.and_then(|schema| schema["required"].as_array()).into_iter().flatten();
    for field in required.filter_map(Value::as_str) {
        if !provided.contains_key(field) {
            let (activity, field) = (activity.id.clone(), field.to_owned());
            return Err(InvalidDefinition::MissingInput { activity, field });
        }
    }
    for (field, needed) in properties(schema) {
        if let Some(found) = provided.get(field)
            && !needed.is_empty()
            && !found.is_empty()
            && *found != needed
        {
            return Err(InvalidDefinition::InputType {
                activity: activity.id.clone(),
                field: field.to_owned(),
                provided: (*found).to_owned(),
                needed: needed.to_owned(),
            });
        }
    }
    Ok(())
}

/// The properties of a JSON schema with their types; the type is empty where the schema does not say.
fn properties(schema: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    let properties = schema.and_then(|schema| schema["properties"].as_object());
    properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.as_str(), schema["type"].as_str().unwrap_or("")))
}
