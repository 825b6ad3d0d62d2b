//! Why a credential, a presentation or a status list is refused.

use heddle_jose::JoseError;

/// Why a credential, a presentation or a status list is refused. Never holds what the credential says of its
/// subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The token around it is refused.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// A member is missing or has the wrong shape.
    #[error("the member '{path}' must be {expected}")]
    Member {
        /// Where, as a JSON pointer within the claims.
        path: String,
        /// What was expected there.
        expected: &'static str,
    },
    /// A presentation holds credentials in another format than its own.
    #[error("the presentation holds a credential that is no JWT; a presentation is homogeneous")]
    Heterogeneous,
    /// A status entry is of a type, purpose or size that is not supported, so the status cannot be known.
    #[error("the credential's status cannot be checked: {0}")]
    StatusUnsupported(&'static str),
    /// A status list cannot be decoded.
    #[error("the status list is not usable: {0}")]
    StatusList(&'static str),
    /// An index lies outside the list.
    #[error("the status list has {length} entries, and the index {index} is not among them")]
    IndexOutOfRange {
        /// The index.
        index: u64,
        /// The list's length, in entries.
        length: u64,
    },
    /// The format's name is not known.
    #[error("the credential format is not supported; use vc11-sl2021/jwt or vc20-bssl/jwt")]
    Format,
}

pub(crate) fn member(path: impl Into<String>, expected: &'static str) -> CredentialError {
    CredentialError::Member { path: path.into(), expected }
}
