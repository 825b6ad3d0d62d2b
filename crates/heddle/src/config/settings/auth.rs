//! `[auth]`.

use super::{Kind, Setting};

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "auth.token_service.key_rotation_days",
        Kind::Integer(1, 3650),
        "90",
        "After how long the built-in token service takes a new key to sign with.",
    )
    .unit("days"),
    Setting::new(
        "auth.token_service.client_requests_per_minute",
        Kind::Integer(1, 1_000_000),
        "600",
        "Most requests for tokens of one client.",
    )
    .unit("requests a minute"),
    Setting::new(
        "auth.token_service.address_requests_per_minute",
        Kind::Integer(1, 1_000_000),
        "6000",
        "Most requests for tokens from one address.",
    )
    .unit("requests a minute"),
    Setting::new(
        "auth.token_service.trusted_proxies",
        Kind::Texts,
        "[]",
        "Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8.",
    ),
    Setting::new(
        "auth.issuers",
        Kind::Tables,
        "[]",
        "Identity providers whose tokens open the Administration APIs, besides the built-in token service.",
    ),
    Setting::open(
        "auth.issuers[].issuer",
        Kind::Text,
        r#""https://id.example.org/realms/heddle""#,
        "The 'iss' of its tokens, byte by byte, and where it describes itself. Needed.",
    ),
    Setting::open(
        "auth.issuers[].audience",
        Kind::Text,
        r#""heddle""#,
        "What the 'aud' of its tokens must contain. Unless set, the public URL.",
    ),
    Setting::open(
        "auth.issuers[].jwks_url",
        Kind::Text,
        r#""https://id.example.org/keys""#,
        "Where its keys are, if it does not describe itself.",
    ),
    Setting::new(
        "auth.issuers[].clock_skew_seconds",
        Kind::Integer(0, 300),
        "5",
        "How far its clock may differ from ours.",
    )
    .unit("seconds"),
    Setting::open(
        "auth.issuers[].roles",
        Kind::Texts,
        r#"["participant", "none"]"#,
        "Which roles it may give: admin, provisioner, participant, and none for tokens without a role. Unless set, all.",
    ),
    Setting::open(
        "auth.issuers[].scopes",
        Kind::Texts,
        r#"["management-api:read"]"#,
        "Which scopes it may give. Unless set, all.",
    ),
    Setting::open(
        "auth.issuers[].participants",
        Kind::Texts,
        r#"["acme"]"#,
        "Whose participant contexts its tokens may open. Unless 'participants' or 'tenants' is set, all.",
    ),
    Setting::open(
        "auth.issuers[].tenants",
        Kind::Texts,
        r#"["acme"]"#,
        "Whose tenants its tokens may open. Unless 'participants' or 'tenants' is set, all.",
    ),
    Setting::new(
        "auth.issuers[].claims.role",
        Kind::Text,
        r#""role""#,
        "The claim with the role; dots lead into objects.",
    ),
    Setting::new(
        "auth.issuers[].claims.role_values",
        Kind::Pairs,
        "{}",
        "Which value of that claim means which role, such as { \"data user\" = \"participant\" }.",
    ),
    Setting::open(
        "auth.issuers[].claims.participant",
        Kind::Text,
        r#""participant_context_id""#,
        "The claim with the participant context; a token without it is of its subject.",
    ),
    Setting::new("auth.issuers[].claims.tenant", Kind::Text, r#""tenant_id""#, "The claim with the tenant."),
    Setting::new("auth.issuers[].claims.scope", Kind::Text, r#""scope""#, "The claim with the scopes."),
];
