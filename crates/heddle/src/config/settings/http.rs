//! `[http]`.

use super::{FileUse, Kind, Setting};

pub(super) const SETTINGS: &[Setting] = &[
    Setting::open(
        "http.certificate_file",
        Kind::Text,
        r#""/etc/heddle/tls/tls.crt""#,
        "A PEM file with the certificate chain of the main listener, the server's own first. Needs 'key_file'. Unless set, \
         the main listener speaks plain HTTP. Read again when it changes.",
    )
    .file(FileUse::Public),
    Setting::open(
        "http.key_file",
        Kind::Text,
        r#""/etc/heddle/tls/tls.key""#,
        "A PEM file with the private key of 'certificate_file', mode 0600.",
    )
    .file(FileUse::Secret),
    Setting::open(
        "http.groups",
        Kind::Texts,
        r#"["dsp", "dcp", "did", "health"]"#,
        "What the main listener answers: management, identity, sts, issuer, catalog, fabric, dsp, dcp, signaling, data-plane, \
         data, did, tokens, portal, health, operations. Unless set, whatever no other listener answers.",
    ),
    Setting::new(
        "http.head_seconds",
        Kind::Integer(1, 600),
        "30",
        "How long a client may take to send the head of a request, and for a TLS handshake.",
    )
    .unit("seconds"),
    Setting::new(
        "http.stall_seconds",
        Kind::Integer(5, 3600),
        "60",
        "A client that takes less than 4 KiB of its answer in this time, while there is something to take, is cut off.",
    )
    .unit("seconds"),
    Setting::new("http.idle_seconds", Kind::Integer(5, 3600), "120", "How long an HTTP/2 connection without a request is kept.").unit("seconds"),
    Setting::open(
        "http.leave_seconds",
        Kind::Integer(0, 300),
        "5",
        "How long a process that was told to stop works on while it says that it is not ready, so that load balancers \
         notice. Unless set, 5, and in development 0.",
    )
    .unit("seconds"),
    Setting::new(
        "http.head_bytes_max",
        Kind::Integer(8192, 1 << 20),
        "65536",
        "The largest head of a request.",
    )
    .unit("bytes"),
    Setting::new("http.headers_max", Kind::Integer(16, 1000), "128", "Most headers of a request.").unit("headers"),
    Setting::new(
        "http.connections_max",
        Kind::Integer(1, 1_000_000),
        "10000",
        "Most connections of one listener at a time; each takes a file descriptor.",
    )
    .unit("connections"),
    Setting::new(
        "http.in_flight",
        Kind::Numbers(1, 1_000_000),
        "{}",
        "Most requests at a time of single surfaces, such as { management = 64 }. A mistaken name lists the surfaces.",
    )
    .unit("requests"),
    Setting::new("http.listeners", Kind::Tables, "[]", "Listeners besides the main one."),
    Setting::open(
        "http.listeners[].listen",
        Kind::Text,
        r#""127.0.0.1:7980""#,
        "The address and port that it binds. Needed.",
    ),
    Setting::open(
        "http.listeners[].groups",
        Kind::Texts,
        r#"["management", "operations"]"#,
        "What it answers, see 'http.groups'. Needed.",
    ),
    Setting::open(
        "http.listeners[].url",
        Kind::Text,
        r#""https://heddle.internal:7980""#,
        "The URL by which this installation reaches it. Unless set, it is made of 'listen'.",
    ),
    Setting::open(
        "http.listeners[].certificate_file",
        Kind::Text,
        r#""/etc/heddle/tls/internal.crt""#,
        "Its certificate chain. Needs 'key_file'. Unless set, plain HTTP.",
    )
    .file(FileUse::Public),
    Setting::open(
        "http.listeners[].key_file",
        Kind::Text,
        r#""/etc/heddle/tls/internal.key""#,
        "Its private key, mode 0600.",
    )
    .file(FileUse::Secret),
];
