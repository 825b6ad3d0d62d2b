//! Groups of public paths, each of which may have a listener of its own.

use std::{fmt, str::FromStr};

/// A group of paths. Together they are everything that a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Management API.
    Management,
    /// Identity API.
    Identity,
    /// Secure token service of the credential services.
    Sts,
    /// Issuer Admin API.
    Issuer,
    /// Federated Catalog API.
    Catalog,
    /// Tenant Manager and Provision Manager.
    Fabric,
    /// Dataspace Protocol.
    Dsp,
    /// Decentralized Claims Protocol: credential services, issuers, status lists.
    Dcp,
    /// Data Plane Signaling, the control plane's side.
    Signaling,
    /// Data plane: signals, sources, consumer applications.
    DataPlane,
    /// Data.
    Data,
    /// DID documents.
    Did,
    /// Built-in token service.
    Tokens,
    /// Customer portal and operations console.
    Portal,
    /// Whether the process lives and is ready, and its version.
    Health,
    /// Metrics, and whatever belongs to no other group.
    Operations,
}

/// Beginnings of paths, and their groups. The first that fits counts; a beginning ends where a segment does.
const PATHS: &[(&str, Group)] = &[
    ("/api/mgmt", Group::Management),
    ("/api/management", Group::Management),
    ("/api/identity", Group::Identity),
    ("/api/sts", Group::Sts),
    ("/api/admin", Group::Issuer),
    ("/api/catalog", Group::Catalog),
    ("/api/tm", Group::Fabric),
    ("/api/pm", Group::Fabric),
    ("/api/dsp", Group::Dsp),
    ("/api/credentials", Group::Dcp),
    ("/api/issuance", Group::Dcp),
    ("/statuslist", Group::Dcp),
    ("/api/signaling", Group::Signaling),
    ("/api/dataplane", Group::DataPlane),
    ("/public", Group::Data),
    ("/oauth", Group::Tokens),
    ("/.well-known/oauth-authorization-server", Group::Tokens),
    ("/ui", Group::Portal),
    ("/ops", Group::Portal),
    ("/health", Group::Health),
    ("/api/check", Group::Health),
    ("/version", Group::Health),
    ("/api/v1/version", Group::Health),
];

impl Group {
    /// Every group.
    pub const ALL: [Self; 16] = [
        Self::Management,
        Self::Identity,
        Self::Sts,
        Self::Issuer,
        Self::Catalog,
        Self::Fabric,
        Self::Dsp,
        Self::Dcp,
        Self::Signaling,
        Self::DataPlane,
        Self::Data,
        Self::Did,
        Self::Tokens,
        Self::Portal,
        Self::Health,
        Self::Operations,
    ];

    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Management => "management",
            Self::Identity => "identity",
            Self::Sts => "sts",
            Self::Issuer => "issuer",
            Self::Catalog => "catalog",
            Self::Fabric => "fabric",
            Self::Dsp => "dsp",
            Self::Dcp => "dcp",
            Self::Signaling => "signaling",
            Self::DataPlane => "data-plane",
            Self::Data => "data",
            Self::Did => "did",
            Self::Tokens => "tokens",
            Self::Portal => "portal",
            Self::Health => "health",
            Self::Operations => "operations",
        }
    }

    /// The group of a path, as it was received. Paths that nobody serves are of a group too.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let begins = |start: &str| {
            path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match PATHS.iter().find(|(start, _)| begins(start)) {
            Some((_, group)) => *group,
            None if path.ends_with("/did.json") => Self::Did,
            None => Self::Operations,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|group| group.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|group| group.name()).collect();
            format!("'{text}' is not a group of paths; the groups are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_group_of_its_beginning() {
        for (path, group) in [
            ("/api/mgmt/v5beta/participants/a/assets", Group::Management),
            ("/api/management/v5/x", Group::Management),
            ("/api/mgmtx/did.json", Group::Did),
            ("/api/dsp/a/2025-1/catalog/request", Group::Dsp),
            ("/api/dsp/did.json", Group::Dsp),
            ("/api/dataplane/v1/participants/a/flows", Group::DataPlane),
            ("/statuslist/7", Group::Dcp),
            ("/public/7/file", Group::Data),
            ("/.well-known/did.json", Group::Did),
            ("/a/b/c/did.json", Group::Did),
            ("/.well-known/oauth-authorization-server", Group::Tokens),
            ("/oauth/token", Group::Tokens),
            ("/health/readiness", Group::Health),
            ("/version", Group::Health),
            ("/metrics", Group::Operations),
            ("/openapi/x.json", Group::Operations),
            ("/", Group::Operations),
            ("", Group::Operations),
            ("/API/MGMT/v5beta", Group::Operations),
        ] {
            assert_eq!(Group::of(path), group, "{path}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for group in Group::ALL {
            assert_eq!(group.name().parse(), Ok(group));
        }
        assert!("dps".parse::<Group>().expect_err("unknown").contains("data-plane"));
    }
}
