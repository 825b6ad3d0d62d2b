//! The settings, section by section, with their defaults.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use super::{
    Mistake,
    reader::{Section, names_somebody, not_that},
    source::Document,
    telemetry,
};

/// A service that a process runs. Any number of processes may run the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Tenants, cells, dataspace profiles, participant profiles.
    TenantManager,
    /// Orchestrations.
    ProvisionManager,
    /// The shipped activity agents.
    Agents,
    /// Assets to agreements, transfers; DSP; Management API.
    ControlPlane,
    /// Keys, DIDs, wallet, presentations; Identity API.
    CredentialService,
    /// Holders, attestations, issuance; Issuer Admin API.
    IssuerService,
    /// Sources, data flows, bytes.
    DataPlane,
}

impl Role {
    /// Every role that this binary has.
    pub const ALL: [Self; 7] = [
        Self::TenantManager,
        Self::ProvisionManager,
        Self::Agents,
        Self::ControlPlane,
        Self::CredentialService,
        Self::IssuerService,
        Self::DataPlane,
    ];

    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenantManager => "tenant-manager",
            Self::ProvisionManager => "provision-manager",
            Self::Agents => "agents",
            Self::ControlPlane => "control-plane",
            Self::CredentialService => "credential-service",
            Self::IssuerService => "issuer-service",
            Self::DataPlane => "data-plane",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|role| role.name()).collect();
            format!("'{text}' is not a role; the roles are {}", names.join(", "))
        })
    }
}

/// Where everything that lasts is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseSettings {
    /// One file in the data directory.
    Sqlite,
    /// A PostgreSQL server, version 15 or newer; a pooler in front of it must be in session mode.
    Postgres {
        /// The address without a secret, `postgres://user@host:port/database`.
        url: Option<String>,
        /// A file that holds the whole address; wins over `url`.
        url_file: Option<PathBuf>,
        /// Most connections of one process.
        connections_max: u32,
    },
}

/// How log lines look and which are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Text for a person instead of JSON.
    pub text: bool,
    /// A filter such as `info,heddle_control_plane=debug`.
    pub filter: String,
}

/// The `static` identity service (development only).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StaticIdentity {
    /// Authorization value → participant id.
    pub accepts: Vec<(String, String)>,
    /// Participant context → the value that it sends; `{audience}` is filled in.
    pub sends: Vec<(String, String)>,
}

/// Where the agents find the services that they configure; the public URL unless given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agents {
    /// Base URL of the control plane's Administration APIs.
    pub control_plane_url: Option<String>,
    /// Base URL of the credential service's Administration APIs.
    pub credential_service_url: Option<String>,
    /// Base URL of the issuer's Administration APIs.
    pub issuer_service_url: Option<String>,
    /// Base URL of the data plane.
    pub data_plane_url: Option<String>,
}

/// What peers are granted that do not take our messages, before the process ends with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers {
    /// Attempts at one message, after which a peer that does not answer is given up. Waits between them begin within
    /// 300 ms and double, up to a minute.
    pub attempts: u32,
    /// How long a peer may answer 401 or 404, as one does whose own services restart.
    pub restarts: Duration,
}

/// Ends the host that stands in a new file until somebody writes the real one; by RFC 2606 nobody can have it.
const PLACEHOLDER: &str = ".invalid";

/// A whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// The address that the public listener binds.
    pub listen: SocketAddr,
    /// Whether the port was chosen by somebody; otherwise that of an earlier start is kept.
    pub port_was_given: bool,
    /// The URL by which the world reaches that listener; part of every DID, fixed at the first start.
    pub public_url: Option<String>,
    /// Where embedded state lives: database file, master key, uploads.
    pub data_dir: PathBuf,
    /// Where uploads live, if not in the data directory; replicas share it.
    pub blob_dir: Option<PathBuf>,
    /// A file with the master key, if not in the data directory.
    pub master_key_file: Option<PathBuf>,
    /// Loopback and plain HTTP are allowed, generated credentials are written down. Never in production.
    pub development: bool,
    /// What this process runs.
    pub roles: Vec<Role>,
    /// Where everything that lasts is kept.
    pub database: DatabaseSettings,
    /// Log lines.
    pub log: LogSettings,
    /// Traces, metrics and health.
    pub telemetry: telemetry::Telemetry,
    /// The `static` identity service.
    pub static_identity: StaticIdentity,
    /// Where the agents find the services.
    pub agents: Agents,
    /// Patience with peers.
    pub peers: Peers,
    /// Whose tokens open the Administration APIs, and how our own token service gives them.
    pub auth: super::auth::Auth,
    /// The listeners.
    pub http: super::Http,
    /// Where outgoing requests may go, and how many.
    pub outbound: super::OutboundSettings,
    /// Whether outgoing requests may reach all private networks; see [`super::OutboundSettings::allow`] for some of them.
    pub allow_private_addresses: bool,
    /// Largest request body of an API, in bytes.
    pub body_bytes_max: u64,
    /// How long requests and jobs may take to end after SIGTERM.
    pub drain_patience: Duration,
}

/// Reads all sections; the mistakes are complete, the configuration only usable without any.
pub(super) fn read<'a>(document: &'a Document<'a>, base: &Path) -> (Configuration, Vec<Mistake>) {
    let mut root = Section::root(document);
    let mut mistakes = Vec::new();
    let development = root.boolean("development").unwrap_or(false);
    let database = database(root.section("database"), base, &mut mistakes);
    let log = log(root.section("log"), &mut mistakes);
    let telemetry = telemetry::read(root.section("telemetry"), base, &mut mistakes);
    let static_identity = static_identity(&mut root, development, &mut mistakes);
    let agents = agents(root.section("agents"), &mut mistakes);
    let peers = peers(root.section("peers"), &mut mistakes);
    let roles = roles(&mut root);
    let listen = listen(&mut root);
    let public_url = public_url(&mut root);
    let port_was_given = root.has("listen");
    let configuration = Configuration {
        listen,
        port_was_given,
        public_url,
        data_dir: base.join(root.text("data_dir").unwrap_or_else(|| ".heddle".to_owned())),
        blob_dir: root.text("blob_dir").map(|path| base.join(path)),
        master_key_file: root.text("master_key_file").map(|path| base.join(path)),
        development,
        roles,
        database,
        log,
        telemetry,
        static_identity,
        agents,
        peers,
        auth: super::auth::read(root.section("auth"), &mut mistakes),
        http: super::http::read(root.section("http"), base, &mut mistakes),
        outbound: super::outbound::read(root.section("outbound"), base, &mut mistakes),
        allow_private_addresses: root.boolean("allow_private_addresses").unwrap_or(development),
        body_bytes_max: root.number("body_bytes_max"),
        drain_patience: Duration::from_secs(root.number("drain_seconds")),
    };
    mistakes.splice(0..0, root.end());
    (configuration, mistakes)
}

fn listen(root: &mut Section<'_>) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], 7979));
    let Some(text) = root.text("listen") else { return default };
    text.parse().unwrap_or_else(|_| {
        root.wrong(
            "listen",
            format!("'listen' must be an address and a port such as 127.0.0.1:7979, not '{text}'"),
        );
        default
    })
}

fn public_url(root: &mut Section<'_>) -> Option<String> {
    let text = root.text("public_url")?;
    match url::Url::parse(&text) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.path() == "/"
                && url.query().is_none()
                && url.host_str().is_some()
                && !names_somebody(&url) =>
        {
            if url.host_str().is_some_and(|host| host.ends_with(PLACEHOLDER)) {
                let what = "'public_url' is still the placeholder; put the URL there by which the world reaches this server";
                root.wrong("public_url", what.to_owned());
            }
            Some(text.trim_end_matches('/').to_owned())
        }
        _ => {
            let what =
                "'public_url' must be a scheme, a host and perhaps a port, such as https://data.example.org";
            root.wrong("public_url", format!("{what}, {}", not_that(&text)));
            None
        }
    }
}

fn roles(root: &mut Section<'_>) -> Vec<Role> {
    let Some(names) = root.texts("roles") else { return Role::ALL.to_vec() };
    let mut roles = Vec::new();
    for name in names {
        match name.parse() {
            Ok(role) => roles.push(role),
            Err(what) => root.wrong("roles", what),
        }
    }
    roles
}

fn database(mut section: Section<'_>, base: &Path, mistakes: &mut Vec<Mistake>) -> DatabaseSettings {
    let kind = section.text("kind").unwrap_or_else(|| "sqlite".to_owned());
    let (url, url_file) = (section.text("url"), section.text("url_file").map(|path| base.join(path)));
    let connections_max = section.number("connections_max");
    let settings = match kind.as_str() {
        "sqlite" => DatabaseSettings::Sqlite,
        "postgres" => {
            if url.is_none() && url_file.is_none() {
                section
                    .wrong("kind", "'database.url' or 'database.url_file' is needed for postgres".to_owned());
            }
            let connections_max = u32::try_from(connections_max).unwrap_or(16);
            DatabaseSettings::Postgres { url, url_file, connections_max }
        }
        other => {
            section.wrong("kind", format!("'database.kind' must be sqlite or postgres, not '{other}'"));
            DatabaseSettings::Sqlite
        }
    };
    mistakes.extend(section.end());
    settings
}

fn log(mut section: Section<'_>, mistakes: &mut Vec<Mistake>) -> LogSettings {
    let format = section.text("format").unwrap_or_else(|| "json".to_owned());
    if !matches!(format.as_str(), "json" | "text") {
        section.wrong("format", format!("'log.format' must be json or text, not '{format}'"));
    }
    let filter = section.text("filter").unwrap_or_else(|| "info".to_owned());
    if tracing_subscriber::EnvFilter::try_new(&filter).is_err() {
        section.wrong(
            "filter",
            format!("'log.filter' must be levels such as info or info,heddle_dsp=debug, not '{filter}'"),
        );
    }
    mistakes.extend(section.end());
    LogSettings { text: format == "text", filter }
}

fn static_identity(root: &mut Section<'_>, development: bool, mistakes: &mut Vec<Mistake>) -> StaticIdentity {
    let mut section = root.section("static_identity");
    let identity = StaticIdentity { accepts: section.pairs("accepts"), sends: section.pairs("sends") };
    for (key, pairs) in [("accepts", &identity.accepts), ("sends", &identity.sends)] {
        if !pairs.is_empty() && !development {
            let what =
                "'static_identity' proves nothing about anybody: it is only read with 'development = true'";
            section.wrong(key, what.to_owned());
        }
    }
    mistakes.extend(section.end());
    identity
}

fn agents(mut section: Section<'_>, mistakes: &mut Vec<Mistake>) -> Agents {
    let agents = Agents {
        control_plane_url: section.text("control_plane_url"),
        credential_service_url: section.text("credential_service_url"),
        issuer_service_url: section.text("issuer_service_url"),
        data_plane_url: section.text("data_plane_url"),
    };
    mistakes.extend(section.end());
    agents
}

/// Bounded, because a job that fails more often than its worker allows is set aside without a word to anybody.
fn peers(mut section: Section<'_>, mistakes: &mut Vec<Mistake>) -> Peers {
    let attempts = section.number("attempts");
    let peers = Peers {
        attempts: u32::try_from(attempts).unwrap_or(8),
        restarts: Duration::from_secs(section.number("restart_seconds")),
    };
    mistakes.extend(section.end());
    peers
}
