//! What can happen to a flow.

use std::fmt;

use crate::wire::DataAddress;

/// Something that happens to a flow, with what came with it. `given` is an address that the control plane
/// sent, `issued` one that this data plane has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The control plane asks a consumer's plane to make ready.
    Prepare {
        /// An address in the message, which is refused.
        given: Option<DataAddress>,
        /// How far this plane has come.
        progress: Progress,
    },
    /// The control plane asks a provider's plane to start.
    Start {
        /// The address in the message: in push required, in pull refused.
        given: Option<DataAddress>,
        /// How far this plane has come.
        progress: Progress,
    },
    /// The control plane says that the provider has started.
    Started {
        /// The address in the message: in pull expected and not required, in push refused.
        given: Option<DataAddress>,
    },
    /// The control plane stops the data for a while.
    Suspend {
        /// Why, for people.
        reason: Option<String>,
    },
    /// The control plane lets the data flow again.
    Resume {
        /// The address in the message. It replaces the present one, unless this side owns the address.
        given: Option<DataAddress>,
        /// The new address, if this side owns it; otherwise none.
        issued: Option<DataAddress>,
    },
    /// The control plane says that all data has moved.
    Completed,
    /// The control plane ends the flow.
    Terminate {
        /// Why, for people.
        reason: Option<String>,
    },
    /// This plane has finished a preparation that was under way.
    FinishedPreparing {
        /// The new address, if this side owns it; otherwise none.
        issued: Option<DataAddress>,
    },
    /// This plane has finished a start that was under way.
    FinishedStarting {
        /// The new address, if this side owns it; otherwise none.
        issued: Option<DataAddress>,
    },
    /// This plane sees by itself that all data has moved.
    OwnCompletion,
}

/// How far a data plane has come with a prepare or a start when it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It is done; answer 200.
    Done {
        /// The new address, if this side owns it; otherwise none.
        issued: Option<DataAddress>,
    },
    /// It goes on; answer 202 and call back later.
    UnderWay,
}

/// An [`Event`] without what came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// [`Event::Prepare`].
    Prepare,
    /// [`Event::Start`].
    Start,
    /// [`Event::Started`].
    Started,
    /// [`Event::Suspend`].
    Suspend,
    /// [`Event::Resume`].
    Resume,
    /// [`Event::Completed`].
    Completed,
    /// [`Event::Terminate`].
    Terminate,
    /// [`Event::FinishedPreparing`].
    FinishedPreparing,
    /// [`Event::FinishedStarting`].
    FinishedStarting,
    /// [`Event::OwnCompletion`].
    OwnCompletion,
}

impl Kind {
    /// All kinds: first what a control plane sends, then what the data plane does by itself.
    pub const ALL: [Self; 10] = [
        Self::Prepare,
        Self::Start,
        Self::Started,
        Self::Suspend,
        Self::Resume,
        Self::Completed,
        Self::Terminate,
        Self::FinishedPreparing,
        Self::FinishedStarting,
        Self::OwnCompletion,
    ];

    /// The name, as people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Start => "start",
            Self::Started => "started",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Completed => "completed",
            Self::Terminate => "terminate",
            Self::FinishedPreparing => "finished-preparing",
            Self::FinishedStarting => "finished-starting",
            Self::OwnCompletion => "own-completion",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Event {
    /// What kind of event it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Prepare { .. } => Kind::Prepare,
            Self::Start { .. } => Kind::Start,
            Self::Started { .. } => Kind::Started,
            Self::Suspend { .. } => Kind::Suspend,
            Self::Resume { .. } => Kind::Resume,
            Self::Completed => Kind::Completed,
            Self::Terminate { .. } => Kind::Terminate,
            Self::FinishedPreparing { .. } => Kind::FinishedPreparing,
            Self::FinishedStarting { .. } => Kind::FinishedStarting,
            Self::OwnCompletion => Kind::OwnCompletion,
        }
    }
}
