//! Scopes: how a verifier names the credentials that it wants to see (DCP 1.0 §5.4.1.2).
//!
//! The specification has two parts (`alias:discriminator`, reading implied); the field writes three
//! (`alias:discriminator:read`). Both are read; three are written. A scope selects by equality alone: there
//! are no wildcards, and nothing but reading can be asked for.

use std::{fmt, str::FromStr};

use heddle_credentials::VerifiableCredential;

/// The alias that selects by credential type.
pub const TYPE_ALIAS: &str = "org.eclipse.dspace.dcp.vc.type";
/// The alias that selects by credential id.
pub const ID_ALIAS: &str = "org.eclipse.dspace.dcp.vc.id";
/// Longest scope, in bytes.
pub const SCOPE_BYTES_MAX: usize = 1024;

/// A set of credentials that may be read. Two scopes are equal when they select the same, however they were
/// spelt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Credentials that have this type.
    Type {
        /// The context that must be among the credential's contexts, when the type was given as
        /// `context#Type`.
        context: Option<String>,
        /// The type, as it stands in the credential.
        name: String,
    },
    /// The one credential with this id. An id may contain colons.
    Id(String),
}

/// Why a text is not a scope that can be granted or asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// The text is longer than [`SCOPE_BYTES_MAX`].
    #[error("a scope has at most {SCOPE_BYTES_MAX} bytes")]
    TooLong,
    /// The alias is neither [`TYPE_ALIAS`] nor [`ID_ALIAS`].
    #[error("the scope '{0}' does not begin with '{TYPE_ALIAS}:' or '{ID_ALIAS}:'")]
    UnknownAlias(String),
    /// The discriminator is empty, or holds a wildcard, white space or a control character.
    #[error("the scope '{0}' does not name one type or one id: wildcards and white space are not allowed")]
    Discriminator(String),
    /// The operation is not reading.
    #[error(
        "the scope '{0}' asks for more than reading; only ':read' (or nothing) may follow the discriminator"
    )]
    Operation(String),
}

impl Scope {
    /// Reads a scope of two or three parts.
    ///
    /// # Errors
    /// See [`InvalidScope`].
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > SCOPE_BYTES_MAX {
            return Err(InvalidScope::TooLong);
        }
        if let Some(rest) = text.strip_prefix(TYPE_ALIAS).and_then(|rest| rest.strip_prefix(':')) {
            return Self::parse_type(text, rest);
        }
        if let Some(rest) = text.strip_prefix(ID_ALIAS).and_then(|rest| rest.strip_prefix(':')) {
            return Self::parse_id(text, rest);
        }
        Err(InvalidScope::UnknownAlias(text.to_owned()))
    }

    /// Selects by type.
    ///
    /// # Errors
    /// [`InvalidScope::Discriminator`] when the name cannot stand in a scope.
    pub fn of_type(name: &str) -> Result<Self, InvalidScope> {
        Self::parse(&format!("{TYPE_ALIAS}:{name}:read"))
    }

    /// Whether it selects this credential: by equality, never by a part of a name.
    #[must_use]
    pub fn selects(&self, credential: &VerifiableCredential) -> bool {
        match self {
            Self::Id(id) => credential.id.as_ref() == Some(id),
            Self::Type { context, name } => {
                credential.is_of_type(name)
                    && context.as_ref().is_none_or(|context| credential.contexts.contains(context))
            }
        }
    }

    fn parse_type(text: &str, rest: &str) -> Result<Self, InvalidScope> {
        let named = [":read", ":all", ":*"].iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest);
        let (context, name) = match named.rsplit_once('#') {
            Some((context, name)) => (Some(context), name),
            None => (None, named),
        };
        if name.contains(':') {
            return Err(InvalidScope::Operation(text.to_owned()));
        }
        if !is_plain(name) || name.contains('%') || context.is_some_and(|context| !is_plain(context)) {
            return Err(InvalidScope::Discriminator(text.to_owned()));
        }
        Ok(Self::Type { context: context.map(str::to_owned), name: name.to_owned() })
    }

    fn parse_id(text: &str, rest: &str) -> Result<Self, InvalidScope> {
        let id = rest.strip_suffix(":read").unwrap_or(rest);
        if id.ends_with(":write") {
            return Err(InvalidScope::Operation(text.to_owned()));
        }
        if !is_plain(id) {
            return Err(InvalidScope::Discriminator(text.to_owned()));
        }
        Ok(Self::Id(id.to_owned()))
    }
}

fn is_plain(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '*';
    !text.is_empty() && !text.contains(odd)
}

/// Always three parts, which every known peer reads.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { context: Some(context), name } => write!(f, "{TYPE_ALIAS}:{context}#{name}:read"),
            Self::Type { context: None, name } => write!(f, "{TYPE_ALIAS}:{name}:read"),
            Self::Id(id) => write!(f, "{ID_ALIAS}:{id}:read"),
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        Self::parse(text)
    }
}
