//! An orchestration as it is stored.

use std::borrow::Cow;

use heddle_clock::Timestamp;
use heddle_ids::OrchestrationId;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where an orchestration is. Its number is what the API shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrchestrationState {
    /// Made, nothing has run.
    Initialized,
    /// Activities run.
    Running,
    /// All activities are complete.
    Completed,
    /// An activity failed for good.
    Errored,
}

impl OrchestrationState {
    /// The number in the API.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Initialized => 0,
            Self::Running => 1,
            Self::Completed => 2,
            Self::Errored => 3,
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Errored)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Initialized => "INITIALIZED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Errored => "ERRORED",
        }
    }
}

/// Where an activity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ActivityState {
    /// Others must complete first.
    Pending,
    /// A run is under way or due.
    Running,
    /// It waits for somebody who will say when it is complete.
    Waiting,
    /// Done.
    Completed,
    /// Failed for good.
    Failed,
}

/// One activity of an orchestration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityRun {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub activity_type: String,
    /// What it depends on.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Where it is.
    pub state: ActivityState,
    /// The run that is under way or was the last, from 1; 0 before the first.
    #[serde(default)]
    pub attempt: u32,
    /// How many runs have failed.
    #[serde(default)]
    pub failures: u32,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl ActivityRun {
    /// One that has not begun.
    pub(super) fn new(id: &str, activity_type: &str, depends_on: Vec<String>) -> Self {
        Self {
            id: id.to_owned(),
            activity_type: activity_type.to_owned(),
            depends_on,
            state: ActivityState::Pending,
            attempt: 0,
            failures: 0,
            error: None,
        }
    }
}

/// A run of a definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Orchestration {
    /// Its id: that of the manifest.
    pub id: OrchestrationId,
    /// What it is for.
    pub correlation_id: String,
    /// The template of its definition.
    pub template_ref: String,
    /// Its type.
    pub orchestration_type: String,
    /// Where it is.
    pub state: OrchestrationState,
    /// Since when.
    pub state_since: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its activities.
    pub activities: Vec<ActivityRun>,
    /// The ids of completed activities, in the order of their completion.
    #[serde(default)]
    pub completed: Vec<String>,
    /// Values that activities share.
    #[serde(default)]
    pub processing_data: Map<String, Value>,
    /// Values for whoever ordered it.
    #[serde(default)]
    pub output_data: Map<String, Value>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The orchestration that this one undoes, if it compensates one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensates: Option<OrchestrationId>,
}

impl Orchestration {
    /// Kind of the directory row by which an orchestration's owner is found.
    pub const DIRECTORY: &'static str = "orchestration";

    /// Whether a run is under way, or due.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.activities.iter().any(|activity| activity.state == ActivityState::Running)
    }
}

impl Aggregate for Orchestration {
    const KIND: &'static str = "orchestration";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        Columns {
            state: Some(Cow::Borrowed(self.state.name())),
            correlation: Some(self.correlation_id.clone()),
            reference: Some(self.template_ref.clone()),
            ..Columns::default()
        }
    }
}
