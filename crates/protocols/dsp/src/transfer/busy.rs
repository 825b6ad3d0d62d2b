//! Steps of the data plane, which are no messages of the protocol but make messages wait.

use std::fmt;

use heddle_clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::TransferProcess;

/// What our data plane is doing for a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DataPlaneStep {
    /// Getting ready on the consumer's side, before the request.
    Prepare,
    /// Starting, before the provider's start or after it at the consumer.
    Start,
    /// Pausing.
    Suspend,
    /// Going on.
    Resume,
    /// Ending after all data.
    Complete,
    /// Ending before all data.
    Terminate,
}

impl DataPlaneStep {
    /// Whether no data moves any more when it is done.
    #[must_use]
    pub const fn stops(self) -> bool {
        matches!(self, Self::Suspend) || self.ends()
    }

    /// Whether nothing follows it.
    #[must_use]
    pub const fn ends(self) -> bool {
        matches!(self, Self::Complete | Self::Terminate)
    }
}

impl fmt::Display for DataPlaneStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prepare => "preparation",
            Self::Start => "start",
            Self::Suspend => "suspension",
            Self::Resume => "resumption",
            Self::Complete => "completion",
            Self::Terminate => "termination",
        })
    }
}

impl TransferProcess {
    /// The step of the data plane that is under way. While there is one, messages of the peer are answered
    /// `Busy`; all but a termination, which makes the step meaningless.
    #[must_use]
    pub const fn busy(&self) -> Option<DataPlaneStep> {
        self.busy
    }

    /// The data plane has begun a step.
    #[must_use]
    pub fn with_step_begun(mut self, step: DataPlaneStep, now: Timestamp) -> Self {
        self.busy = Some(step);
        self.changed_at = now;
        self
    }

    /// The data plane's step has ended, well or not.
    #[must_use]
    pub fn with_step_ended(mut self, now: Timestamp) -> Self {
        self.busy = None;
        self.changed_at = now;
        self
    }
}
