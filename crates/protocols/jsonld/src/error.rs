//! What can be wrong with a document, and where.

use std::fmt;

/// A document that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct JsonLdError {
    /// Where, as a JSON pointer (RFC 6901) into the document as it was sent; empty for the document itself.
    pub pointer: String,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for JsonLdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(f, "the document {}", self.problem),
            pointer => write!(f, "'{pointer}' {}", self.problem),
        }
    }
}

/// What is wrong with a part of a document; reads on after its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Documents are objects.
    #[error("is not a JSON object")]
    NotAnObject,
    /// `@context` is absent, or does not contain the context that gives the terms their meaning.
    #[error("does not contain the context '{0}'")]
    MissingContext(&'static str),
    /// `@type` is neither a text nor a list of one.
    #[error("is not one type")]
    NotOneType,
    /// One term is there twice, in different spellings.
    #[error("is the term '{0}' once more; a document may have it once")]
    RepeatedTerm(String),
    /// Nested deeper than the limit.
    #[error("is nested deeper than the limit of {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// More values than the limit.
    #[error("has more than {max} values")]
    TooLarge {
        /// The limit.
        max: usize,
    },
}
