//! The one error of the waist.

/// Why the store did not do what it was asked. One concrete type over all implementations.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row has another version than the one that was read. Nothing was written: load again and decide again.
    #[error("{kind} '{id}' was changed by somebody else in the meantime; load it again and try again")]
    Stale {
        /// The aggregate's kind.
        kind: String,
        /// The aggregate's id.
        id: String,
    },
    /// A row of this id, or of this unique key, exists already. Nothing was written.
    #[error("{kind} '{id}' exists already")]
    Duplicate {
        /// The aggregate's kind, `nonce` or `directory`.
        kind: String,
        /// The id or the unique key that is taken.
        id: String,
    },
    /// The job's lease is no longer ours: it ran out and somebody else has the job. Nothing was written.
    #[error("the lease of job '{job}' is lost; whoever holds it now goes on")]
    LeaseLost {
        /// The job.
        job: String,
    },
    /// A stored document cannot be read as the type that it should be.
    #[error("{kind} '{id}' is stored in a form that this release cannot read: {reason}")]
    Unreadable {
        /// The aggregate's kind.
        kind: String,
        /// The aggregate's id.
        id: String,
        /// What was expected, and where.
        reason: String,
    },
    /// A filter that no index helps would look at too many rows.
    #[error(
        "the filter would have to look at each of more than {rows_max} rows: add a condition with =, in, <, <=, >, >= or \
         a pattern that does not begin with a wildcard"
    )]
    TooBroad {
        /// Most rows that are looked at without an index.
        rows_max: u32,
    },
    /// The database cannot be reached or does not answer; trying again later may help.
    #[error("the database is not available: {reason}")]
    Unavailable {
        /// What the database or its driver said, without credentials.
        reason: String,
    },
    /// There is no room left where the database is kept. Nothing was written; when there is room again, the same
    /// attempt succeeds.
    #[error(
        "there is no room left where the database is kept ({reason}); make room; a server that runs goes on by itself"
    )]
    Full {
        /// What the database said.
        reason: String,
    },
    /// What the database has stored contradicts itself. Reads of other rows may still succeed.
    #[error(
        "the database is damaged ({reason}); stop the server, keep a copy of what is there for an expert, and restore \
         a backup"
    )]
    Damaged {
        /// What the database said.
        reason: String,
    },
    /// The database refuses to be used as it is set up; trying again will not help.
    #[error("{reason}")]
    Unusable {
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same attempt may succeed if it is simply made again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Stale { .. } | Self::Unavailable { .. } | Self::Full { .. })
    }
}
