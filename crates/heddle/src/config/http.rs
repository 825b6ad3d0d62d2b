//! `[http]`: the listeners, what each answers, and their bounds.

mod group;

use std::{net::SocketAddr, path::Path, time::Duration};

use heddle_web::{CertificateFiles, ServerLimits};

use super::{
    Mistake,
    reader::{Section, names_somebody, not_that},
};

pub use group::Group;

/// Surfaces whose places can be set, by the names that metrics and logs give them.
pub(crate) const SURFACES: &[&str] = &[
    "audit",
    "clients",
    "credentials",
    "data",
    "data-plane-control-planes",
    "data-plane-flows",
    "data-plane-participants",
    "data-plane-signals",
    "data-plane-sources",
    "dead-jobs",
    "did",
    "dsp-catalog",
    "dsp-negotiation",
    "dsp-transfer",
    "dsp-version",
    "identity",
    "issuance",
    "issuer-admin",
    "management",
    "operations",
    "operations-api",
    "provision-manager",
    "signaling",
    "status-list",
    "sts",
    "tenant-manager",
    "token-service",
];

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// The certificate of the main listener; plain HTTP without one.
    pub certificate: Option<CertificateFiles>,
    /// What the main listener answers; unless said, whatever no other listener does.
    pub groups: Option<Vec<Group>>,
    /// Listeners besides the main one.
    pub listeners: Vec<ListenerSettings>,
    /// The bounds of each listener, but for the time to drain.
    pub limits: ServerLimits,
    /// How long a process that was told to stop works on, while it says that it is not ready; unless said, five seconds,
    /// and in development not at all.
    pub leave: Option<Duration>,
    /// Most requests at a time of the surfaces that are named.
    pub in_flight: Vec<(String, usize)>,
}

/// A listener besides the main one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSettings {
    /// The address that it binds.
    pub listen: SocketAddr,
    /// The URL by which this installation reaches it; unless said, made of the address.
    pub url: Option<String>,
    /// Its certificate; plain HTTP without one.
    pub certificate: Option<CertificateFiles>,
    /// What it answers.
    pub groups: Vec<Group>,
}

impl Http {
    /// What the main listener answers.
    #[must_use]
    pub fn main_groups(&self) -> Vec<Group> {
        let moved = |group: &Group| self.listeners.iter().any(|listener| listener.groups.contains(group));
        match &self.groups {
            Some(groups) => groups.clone(),
            None => Group::ALL.into_iter().filter(|group| !moved(group)).collect(),
        }
    }

    /// Where this installation itself finds a group of paths: at the listener that it was moved to, or at the public URL.
    #[must_use]
    pub fn url_of<'a>(&'a self, group: Group, public_url: &'a str) -> std::borrow::Cow<'a, str> {
        if self.main_groups().contains(&group) {
            return public_url.into();
        }
        let listener = self.listeners.iter().find(|listener| listener.groups.contains(&group));
        listener.map_or(public_url.into(), |listener| listener.url().into())
    }
}

impl ListenerSettings {
    /// The URL by which this installation reaches it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        self.url.clone().unwrap_or_else(|| format!("{scheme}://{}", self.listen))
    }
}

pub(super) fn read(mut section: Section<'_>, base: &Path, mistakes: &mut Vec<Mistake>) -> Http {
    let usual = ServerLimits::default();
    let certificate = certificate(&mut section, base);
    let groups = section.has("groups").then(|| groups(&mut section));
    let mut seconds = |key, usual: Duration| section.integer(key).map_or(usual, Duration::from_secs);
    let limits = ServerLimits {
        head_read_timeout: seconds("head_seconds", usual.head_read_timeout),
        stall_window: seconds("stall_seconds", usual.stall_window),
        idle_timeout: seconds("idle_seconds", usual.idle_timeout),
        ..usual
    };
    let leave = section.integer("leave_seconds").map(Duration::from_secs);
    let mut number = |key, usual: usize| {
        section.integer(key).and_then(|number| usize::try_from(number).ok()).unwrap_or(usual)
    };
    let limits = ServerLimits {
        head_bytes_max: number("head_bytes_max", limits.head_bytes_max),
        headers_max: number("headers_max", limits.headers_max),
        connections_max: number("connections_max", limits.connections_max),
        ..limits
    };
    let in_flight = in_flight(&mut section);
    let mut listeners: Vec<ListenerSettings> = Vec::new();
    let mut of_listeners = Vec::new();
    for mut table in section.sections("listeners") {
        if let Some(listener) = listener(&mut table, base) {
            if listener.listen.port() != 0 && listeners.iter().any(|other| other.listen == listener.listen) {
                table.wrong(
                    "listen",
                    format!("{} is the address of another listener already", listener.listen),
                );
            }
            listeners.push(listener);
        }
        of_listeners.extend(table.end());
    }
    mistakes.extend(section.end());
    mistakes.extend(of_listeners);
    Http { certificate, groups, listeners, limits, leave, in_flight }
}

fn listener(table: &mut Section<'_>, base: &Path) -> Option<ListenerSettings> {
    let listen = match table.text("listen") {
        None => {
            table.wrong(
                "listen",
                "a listener needs 'listen', an address and a port such as 127.0.0.1:7980".to_owned(),
            );
            None
        }
        Some(text) => text
            .parse()
            .map_err(|_| {
                let what =
                    format!("'listen' must be an address and a port such as 127.0.0.1:7980, not '{text}'");
                table.wrong("listen", what);
            })
            .ok(),
    };
    let url = table.text("url").filter(|text| {
        let origin = url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.path() == "/" && !names_somebody(&url)
        });
        if !origin {
            let what = format!("'url' must be a scheme, a host and perhaps a port, {}", not_that(text));
            table.wrong("url", what);
        }
        origin
    });
    let (certificate, groups) = (certificate(table, base), groups(table));
    if groups.is_empty() {
        table.wrong("groups", "a listener needs 'groups', the groups of paths that it answers".to_owned());
    }
    let url = url.map(|text| text.trim_end_matches('/').to_owned());
    Some(ListenerSettings { listen: listen?, url, certificate, groups })
}

fn groups(section: &mut Section<'_>) -> Vec<Group> {
    let mut groups = Vec::new();
    for name in section.texts("groups").unwrap_or_default() {
        match name.parse() {
            Ok(group) => groups.push(group),
            Err(what) => section.wrong("groups", what),
        }
    }
    groups
}

fn certificate(section: &mut Section<'_>, base: &Path) -> Option<CertificateFiles> {
    match (section.text("certificate_file"), section.text("key_file")) {
        (Some(certificate), Some(key)) => {
            Some(CertificateFiles { certificate: base.join(certificate), key: base.join(key) })
        }
        (None, None) => None,
        (Some(_), None) => {
            section.wrong("certificate_file", "'certificate_file' needs 'key_file' beside it".to_owned());
            None
        }
        (None, Some(_)) => {
            section.wrong("key_file", "'key_file' needs 'certificate_file' beside it".to_owned());
            None
        }
    }
}

fn in_flight(section: &mut Section<'_>) -> Vec<(String, usize)> {
    let mut places = Vec::new();
    for (name, most) in section.numbers("in_flight") {
        if SURFACES.contains(&name.as_str()) {
            places.push((name, usize::try_from(most).unwrap_or(usize::MAX)));
        } else {
            let what = format!("'{name}' is not a surface; the surfaces are {}", SURFACES.join(", "));
            section.wrong("in_flight", what);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn parse(text: &str) -> Result<Http, String> {
        let parsed = config::parse(text, Path::new("heddle.toml"), Path::new("/etc/heddle"));
        parsed.map(|configuration| configuration.http).map_err(|error| error.to_string())
    }

    #[test]
    fn a_group_that_is_moved_leaves_the_main_listener() {
        let text = "[[http.listeners]]\nlisten = \"127.0.0.1:7980\"\ngroups = [\"management\", \"operations\"]\n\
                    certificate_file = \"tls.crt\"\nkey_file = \"tls.key\"\n";
        let http = parse(text).expect("legal");
        assert!(!http.main_groups().contains(&Group::Management) && http.main_groups().contains(&Group::Dsp));
        assert_eq!(http.url_of(Group::Management, "https://a.example"), "https://127.0.0.1:7980");
        assert_eq!(http.url_of(Group::Dsp, "https://a.example"), "https://a.example");
        let files = http.listeners[0].certificate.as_ref().expect("named");
        assert_eq!(files.key, Path::new("/etc/heddle/tls.key"));
        let both = parse(&format!("[http]\ngroups = [\"management\", \"dsp\"]\n{text}")).expect("legal");
        assert_eq!(both.main_groups(), [Group::Management, Group::Dsp]);
        assert_eq!(both.url_of(Group::Management, "https://a.example"), "https://a.example");
    }

    #[test]
    fn mistakes_come_with_their_lines() {
        let text = "[http]\nkey_file = \"k\"\nleave_seconds = 9000\ngroups = [\"dps\"]\n[http.in_flight]\nmanagment = 3\n\
                    [[http.listeners]]\nlisten = \"here\"\ngroups = [\"did\"]\n[[http.listeners]]\nlisten = \"127.0.0.1:1\"\n\
                    [[http.listeners]]\nlisten = \"127.0.0.1:1\"\ngroups = [\"did\"]\nurl = \"x\"\ncolour = 1\n";
        let error = parse(text).expect_err("many");
        for expected in [
            "line 2: 'key_file' needs 'certificate_file'",
            "line 3: 'http.leave_seconds' must be from 0 to 300",
            "line 4: 'dps' is not a group",
            "'managment' is not a surface",
            "line 8: 'listen' must be an address",
            "a listener needs 'groups'",
            "127.0.0.1:1 is the address of another listener",
            "line 15: 'url' must be",
            "line 16: 'http.listeners[2].colour' is not a setting",
        ] {
            assert!(error.contains(expected), "{expected}\n{error}");
        }
    }
}
