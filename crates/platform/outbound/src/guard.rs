//! Whether a URL may be asked at all (DCP 1.0 §4 names URLs that a stranger chose: DIDs, service endpoints,
//! status lists; DSP 2025-1 adds callback addresses).
//!
//! This is the half that needs no network: scheme, user information, port, literal addresses. The `url` crate
//! has already turned decimal, octal and hexadecimal spellings of IPv4 addresses into one form. The other
//! half, the addresses that a name stands for, is [`crate::resolver`].

use std::{net::Ipv4Addr, sync::Arc};

use url::{Host, Origin, Url};

use crate::{OutboundConfig, OutboundError, Refusal, allowed::Rules, config, config::InvalidConfig, excerpt};

/// Longest URL that is asked, in bytes.
const URL_BYTES_MAX: usize = 8 * 1024;

/// The rules of one client.
#[derive(Debug)]
pub(crate) struct Guard {
    allow_http: bool,
    rules: Arc<Rules>,
    own_origins: Vec<Origin>,
}

/// A URL that may be asked.
#[derive(Debug)]
pub(crate) struct Target {
    pub url: Url,
    /// Whether it is one of the installation's own.
    pub own: bool,
    /// Whether the addresses behind its name need no check.
    pub trusted: bool,
}

impl Guard {
    pub fn new(config: &OutboundConfig) -> Result<Self, InvalidConfig> {
        let own_origins =
            config.own_origins.iter().map(|text| config::origin(text)).collect::<Result<_, _>>()?;
        let rules = Rules {
            private: config.allow_private_addresses,
            allowed: config.allow.clone(),
            ports: config.ports.clone(),
        };
        Ok(Self { allow_http: config.allow_http, rules: Arc::new(rules), own_origins })
    }

    /// What addresses are judged by.
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.clone()
    }

    pub fn check(&self, text: &str) -> Result<Target, OutboundError> {
        let refused = |url: String, reason| OutboundError::Refused { url, reason };
        if text.len() > URL_BYTES_MAX {
            return Err(refused("an address that is too long".to_owned(), Refusal::TooLong(URL_BYTES_MAX)));
        }
        let url = Url::parse(text).map_err(|e| {
            // Not parsed, so what is secret in it cannot be told apart: nothing of it is shown.
            refused("a malformed address".to_owned(), Refusal::NotAUrl(e.to_string()))
        })?;
        match self.verdict(&url) {
            Ok((own, trusted)) => Ok(Target { url, own, trusted }),
            Err(reason) => Err(refused(excerpt::shown(&url), reason)),
        }
    }

    pub fn is_own(&self, text: &str) -> bool {
        Url::parse(text).is_ok_and(|url| self.own_origins.contains(&url.origin()))
    }

    /// Whether the URL is our own, and whether the addresses behind its name need no check.
    fn verdict(&self, url: &Url) -> Result<(bool, bool), Refusal> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        if self.own_origins.contains(&url.origin()) {
            return Ok((true, true));
        }
        let (known, allowed) = match url.scheme() {
            "https" => (true, ""),
            "http" if self.allow_http => (true, ""),
            _ if self.allow_http => (false, "https, http"),
            _ => (false, "https"),
        };
        if !known {
            let scheme = url.scheme().to_owned();
            return Err(Refusal::Scheme { scheme, allowed });
        }
        if let Some(port) = url.port_or_known_default().filter(|port| !self.rules.allows_port(*port)) {
            return Err(Refusal::Port(port));
        }
        let host = url.host().ok_or_else(|| Refusal::NotAUrl("it names no host".to_owned()))?;
        let class = match host {
            Host::Ipv4(v4) => self.rules.refuse(v4.into()),
            Host::Ipv6(v6) => self.rules.refuse(v6.into()),
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                if self.rules.lists_host(name) {
                    return Ok((false, true));
                }
                // Resolvers need not be asked what it means (RFC 6761 §6.3).
                let is_local = name == "localhost" || name.ends_with(".localhost");
                is_local.then(|| self.rules.refuse(Ipv4Addr::LOCALHOST.into())).flatten()
            }
        };
        match class {
            Some(class) => Err(Refusal::Address { address: host.to_string(), class: class.name() }),
            None => Ok((false, false)),
        }
    }
}

#[cfg(test)]
mod spellings;

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(config: &OutboundConfig) -> Guard {
        Guard::new(config).expect("legal")
    }

    fn refusal(guard: &Guard, url: &str) -> Refusal {
        match guard.check(url) {
            Err(OutboundError::Refused { reason, .. }) => reason,
            other => panic!("{url}: {other:?}"),
        }
    }

    /// Addresses of this machine and its neighbours.
    const HOSTILE: &[&str] = &[
        "http://127.0.0.1",
        "https://127.0.0.1:8443/x",
        "http://[::1]",
        "http://0.0.0.0",
        "http://0",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.1.2.3",
        "http://172.20.0.1",
        "http://192.168.0.1",
        "http://100.100.100.200",
        "http://localhost",
        "http://localhost.",
        "http://LOCALHOST/",
        "http://a.localhost",
        "http://2130706433",
        "http://017700000001",
        "http://0x7f000001",
        "http://0x7f.1",
        "http://127.1",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:7f00:1]",
        "http://[64:ff9b::7f00:1]",
        "http://[fe80::1]",
        "http://[fd00::1]",
        "http://224.0.0.1",
        "http://①②⑦.⓪.⓪.①",
        "http://127.0.0.1.",
        "http://0177.0.0.1",
        "http://0x7F.0X0.00.01",
        "http://00000177.1",
        "http://127.0x1",
        "http://127%2e0%2e0%2e1",
        "http://%31%32%37.0.0.1",
        "http://127。0。0。1",
        "http://127．1",
        "http://[::127.0.0.1]",
        "http://[0:0:0:0:0:ffff:10.0.0.1]",
        "http://[2002:a00:1::1]",
        "http://[2606:4700::5efe:10.0.0.1]",
        "http://[fec0::1]",
        "http://192.88.99.1",
        "http://192.31.196.1",
        "http://4294967295",
        "http://256",
        "http://ｌｏｃａｌｈｏｓｔ",
        "http://ⓛocalhost",
        "http:\\\\127.0.0.1\\x",
        "http:/127.0.0.1",
        "http:127.0.0.1",
        " http://127.0.0.1",
        "ht\ntp://127.0.0.1",
    ];

    #[test]
    fn hostile_urls_are_refused() {
        let guard = guard(&OutboundConfig { allow_http: true, ..OutboundConfig::default() });
        for url in HOSTILE {
            assert!(matches!(refusal(&guard, url), Refusal::Address { .. }), "{url}");
        }
        for url in
            ["file:///etc/passwd", "ftp://peer.example/", "gopher://peer.example/", "data:,x", "javascript:1"]
        {
            assert!(matches!(refusal(&guard, url), Refusal::Scheme { .. }), "{url}");
        }
        for url in
            ["https://good.example@evil.example/", "https://u:p@peer.example/", "https://:p@peer.example/"]
        {
            assert_eq!(refusal(&guard, url), Refusal::UserInfo, "{url}");
        }
        for url in [
            "https://peer.example:22/",
            "https://peer.example:25/",
            "http://peer.example:6/",
            "https://peer.example:0/",
        ] {
            assert!(matches!(refusal(&guard, url), Refusal::Port(_)), "{url}");
        }
        for url in [
            "",
            "peer.example",
            "https://",
            "https://a%00b/",
            "https://a b/",
            "https://[::1",
            "//peer.example",
            "http://127.0.0.256",
            "http://127.0.0.1.2",
            "http://0x100000000",
            "http://4294967296",
            "http://[::ffff:127.0.0.256]",
            "http://[fe80::1%25eth0]",
            "http://xn--\u{ad}/",
        ] {
            assert!(matches!(refusal(&guard, url), Refusal::NotAUrl(_)), "{url}");
        }
        let long = format!("https://peer.example/{}", "a".repeat(URL_BYTES_MAX));
        assert_eq!(refusal(&guard, &long), Refusal::TooLong(URL_BYTES_MAX));
    }

    #[test]
    fn public_urls_pass_and_their_names_are_still_to_be_checked() {
        let guard = guard(&OutboundConfig::default());
        for url in ["https://peer.example/a?b", "https://peer.example:8443/", "https://1.1.1.1/"] {
            assert!(!guard.check(url).expect(url).trusted, "{url}");
        }
        assert!(matches!(refusal(&guard, "http://peer.example/"), Refusal::Scheme { allowed: "https", .. }));
    }

    #[test]
    fn an_own_origin_is_allowed_and_only_exactly_it() {
        let own_origins = vec!["http://127.0.0.1:8080".to_owned()];
        let guard = guard(&OutboundConfig { own_origins, allow_http: true, ..OutboundConfig::default() });
        assert!(guard.check("http://127.0.0.1:8080/api/dsp").expect("own").trusted);
        assert!(guard.check("http://127.0.0.1:8081/").is_err());
        assert!(guard.check("https://127.0.0.1:8080/").is_err());
        assert_eq!(refusal(&guard, "http://u@127.0.0.1:8080/"), Refusal::UserInfo);
    }

    #[test]
    fn listed_hosts_and_networks_are_allowed_and_ports_still_count() {
        let allow = ["10.2.0.0/16", "edc.internal", "localhost"].map(|text| text.parse().expect("a place"));
        let config =
            OutboundConfig { allow: allow.to_vec(), ports: vec![443..=443], ..OutboundConfig::default() };
        let guard = guard(&config);
        for (url, trusted) in [
            ("https://10.2.3.4/", false),
            ("https://[::ffff:10.2.3.4]/", false),
            ("https://edc.internal./", true),
            ("https://EDC.internal/", true),
            ("https://localhost/", true),
        ] {
            assert_eq!(guard.check(url).expect(url).trusted, trusted, "{url}");
        }
        assert_eq!(refusal(&guard, "https://10.2.3.4:8443/"), Refusal::Port(8443));
        assert_eq!(refusal(&guard, "https://edc.internal:8443/"), Refusal::Port(8443));
        assert!(matches!(refusal(&guard, "https://10.3.0.1/"), Refusal::Address { .. }));
    }

    #[test]
    fn development_may_reach_its_own_machine() {
        let config =
            OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
        let guard = guard(&config);
        assert!(guard.check("http://localhost:8080/").is_ok());
        assert!(matches!(refusal(&guard, "http://169.254.169.254/"), Refusal::Address { .. }));
        assert!(matches!(refusal(&guard, "http://127.0.0.1:22/"), Refusal::Port(22)));
        assert!(matches!(refusal(&guard, "ftp://localhost/"), Refusal::Scheme { .. }));
    }

    #[test]
    fn an_own_origin_that_is_none_is_a_mistake_in_the_configuration() {
        for text in ["heddle.example", "ftp://heddle.example", "data:,x"] {
            let config = OutboundConfig { own_origins: vec![text.to_owned()], ..OutboundConfig::default() };
            assert!(Guard::new(&config).is_err(), "{text}");
        }
    }
}
