//! What a database counts when it is asked, for those who watch it. Nobody asks at every scrape: it may have to look at
//! every job that waits and at every published key.

use heddle_clock::Timestamp;

/// How much there is of what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Jobs, by kind.
    pub jobs: Vec<JobCount>,
    /// When the job that has waited longest fell due, if one waits that is due.
    pub overdue_since: Option<Timestamp>,
    /// Published rows, by kind.
    pub published: Vec<PublishedCount>,
}

/// Published rows of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedCount {
    /// The kind.
    pub kind: String,
    /// How many there are.
    pub rows: u64,
    /// How many of them say `"active":false` of what they stand for.
    pub inactive: u64,
}

/// Jobs of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobCount {
    /// The kind.
    pub kind: String,
    /// Jobs that nobody has.
    pub waiting: u64,
    /// Jobs that a worker has.
    pub running: u64,
    /// Jobs that were set aside for a person.
    pub dead: u64,
}

/// How much of a pool of connections is in use at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// Which pool.
    pub name: &'static str,
    /// Most connections.
    pub max: usize,
    /// In use.
    pub busy: usize,
    /// Open and not in use.
    pub idle: usize,
    /// Who waits for one.
    pub awaited: usize,
}
