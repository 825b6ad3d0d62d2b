//! `[auth]`: identity providers whose tokens open the Administration APIs, and the built-in token service.

use std::time::Duration;

use heddle_auth::{ApiScope, ClaimNames, IssuerLimits, Network, Owners, Role, ScopeSet, TokenPolicy};

use super::{
    Mistake,
    reader::{Section, names_somebody, not_that},
};

/// What `roles` calls tokens without a role.
const NO_ROLE: &str = "none";
const SECONDS_A_DAY: u64 = 24 * 3600;

/// Whose tokens are accepted, and how our own are given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Auth {
    /// Identity providers besides the built-in token service.
    pub issuers: Vec<IssuerSettings>,
    /// The built-in token service.
    pub tokens: TokenPolicy,
}

/// One identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// The `iss` of its tokens, byte by byte; unless `jwks_url` is given, also where it describes itself.
    pub issuer: String,
    /// What the `aud` of its tokens must contain; the public URL unless given.
    pub audience: Option<String>,
    /// Where its keys are, if it does not describe itself.
    pub jwks_url: Option<String>,
    /// How far its clock may differ from ours.
    pub clock_skew: Duration,
    /// What its claims are called.
    pub claims: ClaimNames,
    /// What it may give at most.
    pub limits: IssuerLimits,
}

pub(super) fn read(mut section: Section<'_>, mistakes: &mut Vec<Mistake>) -> Auth {
    let mut issuers: Vec<IssuerSettings> = Vec::new();
    let tables = section.sections("issuers");
    let tokens = tokens(section.section("token_service"), mistakes);
    let mut of_issuers = Vec::new();
    for mut table in tables {
        if let Some(settings) = issuer(&mut table, &mut of_issuers) {
            if issuers.iter().any(|known| known.issuer == settings.issuer) {
                let what = format!("'{}' is named twice; of each issuer there is one", settings.issuer);
                table.wrong("issuer", what);
            }
            issuers.push(settings);
        }
        of_issuers.extend(table.end());
    }
    mistakes.extend(section.end());
    mistakes.extend(of_issuers);
    Auth { issuers, tokens }
}

fn issuer(table: &mut Section<'_>, mistakes: &mut Vec<Mistake>) -> Option<IssuerSettings> {
    let issuer = address(table, "issuer");
    if !table.has("issuer") {
        table.wrong("issuer", "an issuer needs 'issuer', the URL that its tokens have as 'iss'".to_owned());
    }
    let (audience, jwks_url) = (table.text("audience"), address(table, "jwks_url"));
    let skew = table.number("clock_skew_seconds");
    let (roles, roleless) = roles(table);
    let scopes = scopes(table);
    let owners = owners(table);
    let claims = claims(table.section("claims"), mistakes);
    Some(IssuerSettings {
        issuer: issuer?,
        audience,
        jwks_url,
        clock_skew: Duration::from_secs(skew),
        claims,
        limits: IssuerLimits { roles, roleless, scopes, owners },
    })
}

fn address(table: &mut Section<'_>, key: &'static str) -> Option<String> {
    let text = table.text(key)?;
    let legal = url::Url::parse(&text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && !names_somebody(&url)
            && url.fragment().is_none()
    });
    if !legal {
        let what = format!(
            "'{key}' must be a URL such as https://id.example.org/realms/heddle, {}",
            not_that(&text)
        );
        table.wrong(key, what);
        return None;
    }
    Some(text)
}

fn roles(table: &mut Section<'_>) -> (Option<Vec<Role>>, bool) {
    let Some(names) = table.texts("roles") else { return (None, true) };
    let mut roles = Vec::new();
    for name in names.iter().filter(|name| *name != NO_ROLE) {
        match role(name) {
            Some(role) => roles.push(role),
            None => {
                let what =
                    format!("'{name}' is not a role; the roles are admin, provisioner, participant and none");
                table.wrong("roles", what);
            }
        }
    }
    (Some(roles), names.iter().any(|name| name == NO_ROLE))
}

fn role(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}

fn scopes(table: &mut Section<'_>) -> Option<ScopeSet> {
    let names = table.texts("scopes")?;
    let mut scopes: Vec<ApiScope> = Vec::new();
    for name in names {
        match name.parse() {
            Ok(scope) => scopes.push(scope),
            Err(error) => table.wrong("scopes", format!("'{name}' is not a scope: {error}")),
        }
    }
    Some(scopes.into_iter().collect())
}

fn owners(table: &mut Section<'_>) -> Option<Owners> {
    let (participants, tenants) = (table.texts("participants"), table.texts("tenants"));
    if participants.is_none() && tenants.is_none() {
        return None;
    }
    let mut owners = Owners::default();
    for id in participants.unwrap_or_default() {
        match id.parse() {
            Ok(id) => owners.participants.push(id),
            Err(error) => {
                table.wrong("participants", format!("'{id}' is not a participant context: {error}"));
            }
        }
    }
    for id in tenants.unwrap_or_default() {
        match id.parse() {
            Ok(id) => owners.tenants.push(id),
            Err(error) => table.wrong("tenants", format!("'{id}' is not a tenant: {error}")),
        }
    }
    Some(owners)
}

fn claims(mut section: Section<'_>, mistakes: &mut Vec<Mistake>) -> ClaimNames {
    let default = ClaimNames::default();
    let mut names = ClaimNames {
        role: section.text("role").unwrap_or(default.role),
        role_values: Vec::new(),
        participant: section.text("participant"),
        tenant: section.text("tenant").unwrap_or(default.tenant),
        scope: section.text("scope").unwrap_or(default.scope),
    };
    for (value, name) in section.pairs("role_values") {
        match role(&name) {
            Some(role) => names.role_values.push((value, role)),
            None => {
                let what =
                    format!("'{name}' is not a role; the roles are admin, provisioner and participant");
                section.wrong("role_values", what);
            }
        }
    }
    mistakes.extend(section.end());
    names
}

fn tokens(mut section: Section<'_>, mistakes: &mut Vec<Mistake>) -> TokenPolicy {
    let default = TokenPolicy::default();
    let days = section.integer("key_rotation_days");
    let mut rate = |key, default: u32| {
        section.integer(key).and_then(|value| u32::try_from(value).ok()).unwrap_or(default)
    };
    let of_client = rate("client_requests_per_minute", default.client_requests_per_minute);
    let from_address = rate("address_requests_per_minute", default.address_requests_per_minute);
    let mut trusted_proxies: Vec<Network> = Vec::new();
    for text in section.texts("trusted_proxies").unwrap_or_default() {
        match text.parse() {
            Ok(network) => trusted_proxies.push(network),
            Err(error) => section.wrong("trusted_proxies", format!("'{text}' is not a network: {error}")),
        }
    }
    mistakes.extend(section.end());
    TokenPolicy {
        rotate_after: days.map_or(default.rotate_after, |days| Duration::from_secs(days * SECONDS_A_DAY)),
        client_requests_per_minute: of_client,
        address_requests_per_minute: from_address,
        trusted_proxies,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{self, ConfigurationError};

    fn parse(text: &str) -> Result<Auth, ConfigurationError> {
        config::parse(text, Path::new("heddle.toml"), Path::new("/etc/heddle")).map(|read| read.auth)
    }

    #[test]
    fn an_issuer_needs_its_name_alone() {
        let auth = parse("[[auth.issuers]]\nissuer = \"https://id.example/realms/a\"\n").expect("legal");
        let [issuer] = auth.issuers.as_slice() else { panic!("{auth:?}") };
        assert_eq!(issuer.issuer, "https://id.example/realms/a");
        assert_eq!(issuer.clock_skew, Duration::from_secs(5));
        assert_eq!((&issuer.claims, issuer.limits.owners.as_ref()), (&ClaimNames::default(), None));
        assert!(issuer.limits.roles.is_none() && issuer.limits.scopes.is_none());
        assert_eq!(parse("").expect("legal"), Auth::default());
    }

    #[test]
    fn what_an_issuer_may_and_what_it_calls_things_is_read() {
        let text = r#"
            [[auth.issuers]]
            issuer = "https://id.example"
            audience = "heddle"
            jwks_url = "https://id.example/keys"
            clock_skew_seconds = 60
            roles = ["participant", "none"]
            scopes = ["management-api:write"]
            participants = ["acme"]
            [auth.issuers.claims]
            role = "realm_access.roles"
            participant = "org"
            [auth.issuers.claims.role_values]
            "data user" = "participant"
            [auth.token_service]
            key_rotation_days = 30
            trusted_proxies = ["10.0.0.0/8"]
        "#;
        let auth = parse(text).expect("legal");
        let issuer = &auth.issuers[0];
        assert_eq!(issuer.limits.roles.as_deref(), Some([Role::Participant].as_slice()));
        assert!(issuer.limits.roleless);
        assert_eq!(issuer.limits.owners.as_ref().expect("some").participants[0].as_str(), "acme");
        assert_eq!(issuer.claims.role_values, [("data user".to_owned(), Role::Participant)]);
        assert_eq!(auth.tokens.rotate_after, Duration::from_secs(30 * SECONDS_A_DAY));
        assert_eq!(auth.tokens.trusted_proxies.len(), 1);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "[[auth.issuers]]\nissuer = \"id.example\"\nroles = [\"root\"]\nscopes = [\"all\"]\naudiense = \"x\"\n\
                    [[auth.issuers]]\naudience = \"x\"\n[[auth.issuers]]\nissuer = \"https://a\"\n\
                    [[auth.issuers]]\nissuer = \"https://a\"\n[auth.token_service]\nkey_rotation_days = 0\n\
                    trusted_proxies = [\"proxy\"]\n";
        let error = parse(text).expect_err("eight mistakes").to_string();
        for expected in [
            "line 2: 'issuer' must be a URL",
            "line 3: 'root' is not a role",
            "line 4: 'all' is not a scope",
            "line 5: 'auth.issuers[0].audiense' is not a setting; did you mean 'audience'?",
            "an issuer needs 'issuer'",
            "line 11: 'https://a' is named twice",
            "line 13: 'auth.token_service.key_rotation_days' must be from 1 to 3650",
            "line 14: 'proxy' is not a network",
        ] {
            assert!(error.contains(expected), "{expected}\n{error}");
        }
    }
}
