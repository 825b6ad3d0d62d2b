//! What stands above all sections, and the small sections.

use super::{FileUse, Kind, Secrecy, Setting};

pub(super) const TOP: &[Setting] = &[
    Setting::new(
        "listen",
        Kind::Text,
        r#""127.0.0.1:7979""#,
        "The address and port that the main listener binds. Port 0 takes a free one.",
    ),
    Setting::open(
        "public_url",
        Kind::Text,
        r#""https://data.example.org""#,
        "The URL by which the world reaches the main listener: scheme, host and perhaps a port. It is part of every DID \
         and is fixed at the first start. Unless set, it is made of 'listen'.",
    ),
    Setting::new(
        "data_dir",
        Kind::Text,
        r#"".heddle""#,
        "Where embedded state lives: database file, master key, uploads. Made at the first start, with mode 0700.",
    ),
    Setting::open(
        "blob_dir",
        Kind::Text,
        r#""/srv/heddle/blobs""#,
        "Where uploads live; replicas share it. Unless set, in the data directory.",
    ),
    Setting::open(
        "master_key_file",
        Kind::Text,
        r#""/etc/heddle/master.key""#,
        "A file with the master key of the vault, 32 random bytes, mode 0600. Unless set, a key is made in the data \
         directory at the first start.",
    )
    .file(FileUse::Secret),
    Setting::new(
        "development",
        Kind::Boolean,
        "false",
        "Plain HTTP and loopback addresses are allowed, and generated credentials are written down. Never in production.",
    ),
    Setting::new(
        "roles",
        Kind::Texts,
        r#"["tenant-manager", "provision-manager", "agents", "control-plane", "credential-service", "issuer-service", "data-plane"]"#,
        "What this process runs. Any number of processes may run the same role.",
    ),
    Setting::open(
        "allow_private_addresses",
        Kind::Boolean,
        "false",
        "Whether outgoing requests may reach all private networks; 'outbound.allow' names some of them. Unless set, in \
         development only.",
    ),
    Setting::new(
        "body_bytes_max",
        Kind::Integer(1024, 1 << 30),
        "1048576",
        "The largest request body of an API. Larger ones are refused with 413.",
    )
    .unit("bytes"),
    Setting::new(
        "drain_seconds",
        Kind::Integer(0, 600),
        "20",
        "How long requests and jobs under way may take to end after SIGTERM.",
    )
    .unit("seconds"),
];

pub(super) const DATABASE: &[Setting] = &[
    Setting::new(
        "database.kind",
        Kind::Choice(&["sqlite", "postgres"]),
        r#""sqlite""#,
        "sqlite is one file in the data directory, for one process. postgres is a PostgreSQL server, version 15 or later, \
         for any number of processes; a pooler in front of it must be in session mode.",
    ),
    Setting::open(
        "database.url",
        Kind::Text,
        r#""postgres://heddle@db.example.org:5432/heddle""#,
        "The PostgreSQL server and database. Keep a password out of this file: put the whole URL into 'url_file'.",
    )
    .secrecy(Secrecy::Password),
    Setting::open(
        "database.url_file",
        Kind::Text,
        r#""/etc/heddle/database-url""#,
        "A file that holds the whole URL with its password, mode 0600. It wins over 'url'.",
    )
    .file(FileUse::Secret),
    Setting::new(
        "database.connections_max",
        Kind::Integer(2, 1000),
        "16",
        "Most connections of one process to PostgreSQL, besides one that listens.",
    )
    .unit("connections"),
];

pub(super) const LOG: &[Setting] = &[
    Setting::new(
        "log.format",
        Kind::Choice(&["json", "text"]),
        r#""json""#,
        "json is one object a line, for programs; text is for a person.",
    ),
    Setting::new(
        "log.filter",
        Kind::Text,
        r#""info""#,
        "Which lines are written: a level (error, warn, info, debug, trace), and levels of single crates behind commas, such \
         as info,heddle_dsp=debug.",
    ),
];

pub(super) const PEERS: &[Setting] = &[
    Setting::new(
        "peers.attempts",
        Kind::Integer(1, 15),
        "8",
        "Attempts at one message, after which a participant that does not answer is given up and the process ends with the \
         reason. Waits between them double, up to a minute.",
    )
    .unit("attempts"),
    Setting::new(
        "peers.restart_seconds",
        Kind::Integer(0, 300),
        "120",
        "How long a participant may answer 401 or 404, as one does whose own services restart.",
    )
    .unit("seconds"),
];

pub(super) const AGENTS: &[Setting] = &[
    Setting::open(
        "agents.control_plane_url",
        Kind::Text,
        r#""http://control-plane.internal:7979""#,
        "Where the activity agents find the control plane's Administration APIs. Unless set, the public URL.",
    ),
    Setting::open(
        "agents.credential_service_url",
        Kind::Text,
        r#""http://credential-service.internal:7979""#,
        "Where the activity agents find the credential service's Administration APIs. Unless set, the public URL.",
    ),
    Setting::open(
        "agents.issuer_service_url",
        Kind::Text,
        r#""http://issuer-service.internal:7979""#,
        "Where the activity agents find the issuer's Administration APIs. Unless set, the public URL.",
    ),
    Setting::open(
        "agents.data_plane_url",
        Kind::Text,
        r#""http://data-plane.internal:7979""#,
        "Where the activity agents find the data plane. Unless set, the public URL.",
    ),
];

pub(super) const STATIC_IDENTITY: &[Setting] = &[
    Setting::new(
        "static_identity.accepts",
        Kind::Pairs,
        "{}",
        "Only with 'development = true': which Authorization value counts as which participant. It proves nothing about \
         anybody.",
    )
    .secrecy(Secrecy::Hidden),
    Setting::new(
        "static_identity.sends",
        Kind::Pairs,
        "{}",
        "Only with 'development = true': which Authorization value a participant context sends; {audience} is filled in.",
    )
    .secrecy(Secrecy::Hidden),
];
