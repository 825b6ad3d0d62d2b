//! `[outbound]`.

use super::{FileUse, Kind, Setting};

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "outbound.allow",
        Kind::Texts,
        "[]",
        "Networks, addresses and hosts that may be asked although their addresses are not public, such as 10.2.0.0/16 or \
         *.partner.internal.",
    ),
    Setting::open(
        "outbound.allow_http",
        Kind::Boolean,
        "false",
        "Whether requests may go to http:// URLs. Unless set, in development and when the public URL is such a one.",
    ),
    Setting::new(
        "outbound.ports",
        Kind::Texts,
        r#"["80", "443", "1024-65535"]"#,
        "Ports that may be asked, alone or as ranges.",
    ),
    Setting::open(
        "outbound.roots_file",
        Kind::Text,
        r#""/etc/heddle/roots.pem""#,
        "A PEM file of certificate authorities to trust besides those of the operating system.",
    )
    .file(FileUse::Public),
    Setting::new(
        "outbound.host_requests_max",
        Kind::Integer(1, 10_000),
        "64",
        "Most requests to one host at a time.",
    )
    .unit("requests"),
    Setting::new(
        "outbound.host_streams_max",
        Kind::Integer(1, 100_000),
        "512",
        "Most streams of data to and from one host at a time.",
    )
    .unit("streams"),
    Setting::new(
        "outbound.host_waiting_max",
        Kind::Integer(0, 100_000),
        "1024",
        "Most requests to one host that wait for their turn; one more fails at once.",
    )
    .unit("requests"),
];
