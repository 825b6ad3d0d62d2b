//! The grammar of scopes: `prefix[:resource]:action`, with `read < write < admin`.
//!
//! A granted scope satisfies a required one when the prefixes are equal, the granted resource is the required
//! one or every (`*`, also when left out), and the granted action is at least the required one. The same rule
//! holds for `management-api`, `identity-api`, `issuer-admin-api`, `tenant-manager-api` and
//! `provision-manager-api`.

use std::{fmt, str::FromStr, sync::Arc};

/// Most scopes of one token that are read; further ones grant nothing.
pub const SCOPES_MAX: usize = 256;
/// Longest `scope` claim of our own tokens, in bytes: with it a token stays below what is read of one.
pub(crate) const SCOPES_BYTES_MAX: usize = 8 * 1024;
/// Longest prefix or resource, in bytes.
const SEGMENT_BYTES_MAX: usize = 64;

/// What may be done. Each action includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// See.
    Read,
    /// Change.
    Write,
    /// Everything; without a resource, and for somebody whose role does not restrict it, for every owner.
    Admin,
}

impl Action {
    /// The name in a scope.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|action| action.name() == text)
    }

    /// This action and those that it includes, smallest first.
    pub(crate) fn included(self) -> impl Iterator<Item = Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().filter(move |action| *action <= self)
    }
}

/// A granted scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiScope {
    prefix: Box<str>,
    /// `None` is every resource.
    resource: Option<Box<str>>,
    action: Action,
}

/// A text that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is prefix:action or prefix:resource:action, where the action is read, write or admin")]
pub struct InvalidScope;

impl ApiScope {
    pub(crate) fn with_action(&self, action: Action) -> Self {
        Self { prefix: self.prefix.clone(), resource: self.resource.clone(), action }
    }

    /// The action.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// What both this scope and `other` allow, if that is anything.
    fn meet(&self, other: &Self) -> Option<Self> {
        let resource = match (&self.resource, &other.resource) {
            (Some(own), Some(its)) if own != its => return None,
            (own, its) => own.clone().or_else(|| its.clone()),
        };
        let action = self.action.min(other.action);
        (self.prefix == other.prefix).then(|| Self { prefix: self.prefix.clone(), resource, action })
    }

    /// Whether whoever has this scope has `other` too.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.satisfies(&other.prefix, other.resource.as_deref(), other.action)
    }

    fn satisfies(&self, prefix: &str, resource: Option<&str>, action: Action) -> bool {
        let every = self.resource.is_none();
        *self.prefix == *prefix && (every || self.resource.as_deref() == resource) && self.action >= action
    }
}

impl FromStr for ApiScope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let mut segments = text.split(':');
        let (first, second, third) = (segments.next(), segments.next(), segments.next());
        let (prefix, resource, action) = match (first, second, third, segments.next()) {
            (Some(prefix), Some(action), None, None) => (prefix, None, action),
            (Some(prefix), Some("*"), Some(action), None) => (prefix, None, action),
            (Some(prefix), Some(resource), Some(action), None) => (prefix, Some(resource), action),
            _ => return Err(InvalidScope),
        };
        let legal = |segment: &str| {
            (1..=SEGMENT_BYTES_MAX).contains(&segment.len())
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        if !legal(prefix) || !resource.is_none_or(legal) {
            return Err(InvalidScope);
        }
        let action = Action::parse(action).ok_or(InvalidScope)?;
        Ok(Self { prefix: prefix.into(), resource: resource.map(Into::into), action })
    }
}

impl fmt::Display for ApiScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scope(f, &self.prefix, self.resource.as_deref(), self.action)
    }
}

fn write_scope(
    f: &mut fmt::Formatter<'_>,
    prefix: &str,
    resource: Option<&str>,
    action: Action,
) -> fmt::Result {
    match resource {
        Some(resource) => write!(f, "{prefix}:{resource}:{}", action.name()),
        None => write!(f, "{prefix}:{}", action.name()),
    }
}

/// The scopes that a token grants. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSet(Arc<[ApiScope]>);

impl ScopeSet {
    /// Reads a `scope` claim (RFC 8693 §4.2): what is malformed, or past [`SCOPES_MAX`], grants nothing.
    #[must_use]
    pub fn of_claim(text: &str) -> Self {
        Self(text.split(' ').filter_map(|part| part.parse().ok()).take(SCOPES_MAX).collect())
    }

    /// What these scopes allow and `most` does, too.
    #[must_use]
    pub fn meet(&self, most: &Self) -> Self {
        let mut met: Vec<ApiScope> = Vec::new();
        for scope in self.0.iter().flat_map(|own| most.0.iter().filter_map(|other| own.meet(other))) {
            if met.len() < SCOPES_MAX && !met.iter().any(|known| known.includes(&scope)) {
                met.push(scope);
            }
        }
        Self(met.into())
    }

    /// Whether a required scope is granted.
    #[must_use]
    pub fn satisfies(&self, required: &RequiredScope) -> bool {
        self.grants(required.prefix, required.resource, required.action)
    }

    pub(crate) fn grants(&self, prefix: &str, resource: Option<&str>, action: Action) -> bool {
        self.0.iter().any(|granted| granted.satisfies(prefix, resource, action))
    }

    /// The scopes, in the order of the token.
    pub fn iter(&self) -> impl Iterator<Item = &ApiScope> {
        self.0.iter()
    }
}

impl FromIterator<ApiScope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ApiScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// What an endpoint deals with, as far as it matters to roles. An endpoint that says nothing deals with
/// [`Area::Contents`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// The configuration of a participant context.
    Configuration,
    /// What participants share and hold: assets, policies, negotiations, transfers, credentials, keys.
    Contents,
    /// Asking an issuer for credentials, and how far that is.
    CredentialRequests,
    /// Registration of data planes.
    DataPlanes,
    /// Dynamic DCP scopes.
    DcpScopes,
    /// The installation itself: expressions, cells, orchestrations.
    Installation,
    /// The life cycle of participant contexts.
    Participants,
    /// Dataspace profiles and which of them a participant uses.
    Profiles,
}

impl Area {
    /// Every area.
    pub const ALL: [Self; 8] = [
        Self::Configuration,
        Self::Contents,
        Self::CredentialRequests,
        Self::DataPlanes,
        Self::DcpScopes,
        Self::Installation,
        Self::Participants,
        Self::Profiles,
    ];
}

/// What an endpoint requires. A constant beside its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequiredScope {
    pub(crate) prefix: &'static str,
    pub(crate) resource: Option<&'static str>,
    pub(crate) action: Action,
    pub(crate) area: Area,
}

impl RequiredScope {
    /// `prefix:resource:read`.
    #[must_use]
    pub const fn read(prefix: &'static str, resource: &'static str) -> Self {
        Self { prefix, resource: Some(resource), action: Action::Read, area: Area::Contents }
    }

    /// `prefix:resource:write`.
    #[must_use]
    pub const fn write(prefix: &'static str, resource: &'static str) -> Self {
        Self { prefix, resource: Some(resource), action: Action::Write, area: Area::Contents }
    }

    /// `prefix:action` on no particular resource, as the Tenant Manager and the Provision Manager have it.
    #[must_use]
    pub const fn every(prefix: &'static str, action: Action) -> Self {
        Self { prefix, resource: None, action, area: Area::Contents }
    }

    /// `prefix:admin`.
    #[must_use]
    pub const fn admin(prefix: &'static str) -> Self {
        Self::every(prefix, Action::Admin)
    }

    /// The same scope, for an endpoint that deals with `area`.
    #[must_use]
    pub const fn within(self, area: Area) -> Self {
        Self { area, ..self }
    }

    /// What the endpoint deals with.
    #[must_use]
    pub const fn area(&self) -> Area {
        self.area
    }
}

impl fmt::Display for RequiredScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scope(f, self.prefix, self.resource, self.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: RequiredScope = RequiredScope::read("management-api", "assets");
    const WRITE: RequiredScope = RequiredScope::write("management-api", "assets");
    const ADMIN: RequiredScope = RequiredScope::admin("management-api");

    #[test]
    fn implication() {
        let cases = [
            ("management-api:read", [true, false, false]),
            ("management-api:*:read", [true, false, false]),
            ("management-api:write", [true, true, false]),
            ("management-api:admin", [true, true, true]),
            ("management-api:*:admin", [true, true, true]),
            ("management-api:assets:read", [true, false, false]),
            ("management-api:assets:write", [true, true, false]),
            ("management-api:assets:admin", [true, true, false]),
            ("management-api:participants:admin", [false, false, false]),
            ("management-api:policies:write", [false, false, false]),
            ("identity-api:admin", [false, false, false]),
            ("management-api:read nonsense management-api:assets:write", [true, true, false]),
        ];
        for (claim, expected) in cases {
            let granted = ScopeSet::of_claim(claim);
            let actual = [READ, WRITE, ADMIN].map(|required| granted.satisfies(&required));
            assert_eq!(actual, expected, "{claim}");
        }
    }

    #[test]
    fn of_two_sets_is_left_what_both_allow() {
        let cases = [
            ("m:admin i:write", "m:write", "m:write"),
            ("m:assets:admin m:read", "m:assets:write m:policies:read", "m:assets:write m:policies:read"),
            ("m:read", "i:admin", ""),
            ("m:assets:read", "m:policies:admin", ""),
            ("m:write m:read m:assets:write", "m:write", "m:write"),
        ];
        for (own, most, left) in cases {
            let met = ScopeSet::of_claim(own).meet(&ScopeSet::of_claim(most));
            assert_eq!(met, ScopeSet::of_claim(left), "{own} within {most}");
        }
    }

    #[test]
    fn what_is_malformed_grants_nothing() {
        for text in [
            "",
            "read",
            "management-api",
            "management-api:",
            ":read",
            "management-api:assets:read:more",
            "management-api:READ",
            "management-api::read",
            "*:read",
            "management api:read",
        ] {
            assert_eq!(text.parse::<ApiScope>(), Err(InvalidScope), "{text}");
        }
        let flood = "a:read ".repeat(SCOPES_MAX) + "management-api:admin";
        assert!(!ScopeSet::of_claim(&flood).satisfies(&ADMIN));
    }

    #[test]
    fn a_scope_is_written_as_it_is_read() {
        for (text, written) in [("a:read", "a:read"), ("a:*:write", "a:write"), ("a:b:admin", "a:b:admin")] {
            assert_eq!(text.parse::<ApiScope>().expect("legal").to_string(), written);
        }
        assert_eq!(READ.to_string(), "management-api:assets:read");
    }
}
