//! `[outbound]`: where requests to others may go, and how many at a time.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use heddle_outbound::{Allowed, HostLimits, OutboundConfig};

use super::{Mistake, reader::Section};

/// What is set about outgoing requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundSettings {
    /// Networks and hosts that may be asked although their addresses are not public.
    pub allow: Vec<Allowed>,
    /// Whether `http://` is allowed; unless said, in development and when the public URL is such a one.
    pub allow_http: Option<bool>,
    /// Ports that may be asked: 80, 443 and those from 1024 unless said.
    pub ports: Vec<RangeInclusive<u16>>,
    /// A PEM file of certificate authorities to trust besides those of the operating system.
    pub roots_file: Option<PathBuf>,
    /// How many requests one host gets at a time.
    pub per_host: HostLimits,
}

pub(super) fn read(mut section: Section<'_>, base: &Path, mistakes: &mut Vec<Mistake>) -> OutboundSettings {
    let usual = OutboundConfig::default();
    let mut allow = Vec::new();
    for text in section.texts("allow").unwrap_or_default() {
        match text.parse::<Allowed>() {
            Ok(place) => allow.push(place),
            Err(error) => section.wrong("allow", format!("'outbound.allow': {error}")),
        }
    }
    let mut ports = Vec::new();
    for text in section.texts("ports").unwrap_or_default() {
        match port_range(&text) {
            Some(range) => ports.push(range),
            None => {
                let what = format!(
                    "'outbound.ports' must hold ports such as \"443\" or \"8000-8999\", not '{text}'"
                );
                section.wrong("ports", what);
            }
        }
    }
    let mut number = |key, usual: usize| {
        section.integer(key).and_then(|number| usize::try_from(number).ok()).unwrap_or(usual)
    };
    let per_host = HostLimits {
        requests_max: number("host_requests_max", usual.per_host.requests_max),
        streams_max: number("host_streams_max", usual.per_host.streams_max),
        waiting_max: number("host_waiting_max", usual.per_host.waiting_max),
    };
    let settings = OutboundSettings {
        allow,
        allow_http: section.boolean("allow_http"),
        ports: if ports.is_empty() { usual.ports } else { ports },
        roots_file: section.text("roots_file").map(|path| base.join(path)),
        per_host,
    };
    mistakes.extend(section.end());
    settings
}

fn port_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first >= 1 && first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn parse(text: &str) -> Result<OutboundSettings, String> {
        let parsed = config::parse(text, Path::new("heddle.toml"), Path::new("/etc/heddle"));
        parsed.map(|configuration| configuration.outbound).map_err(|error| error.to_string())
    }

    #[test]
    fn places_and_ports_are_read() {
        let text = "[outbound]\nallow = [\"10.2.0.0/16\", \"*.partner.internal\"]\nports = [\"443\", \"8000-8999\"]\n\
                    allow_http = true\nroots_file = \"roots.pem\"\nhost_requests_max = 7\n";
        let settings = parse(text).expect("legal");
        assert_eq!(
            settings.allow.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.2.0.0/16", "*.partner.internal"]
        );
        assert_eq!(settings.ports, [443..=443, 8000..=8999]);
        assert_eq!((settings.allow_http, settings.per_host.requests_max), (Some(true), 7));
        assert_eq!(settings.roots_file.as_deref(), Some(Path::new("/etc/heddle/roots.pem")));
        assert_eq!(parse("").expect("legal").ports, OutboundConfig::default().ports);
    }

    #[test]
    fn what_is_no_place_and_no_port_is_told_with_its_line() {
        let error =
            parse("[outbound]\nallow = [\"10.0.0.0/33\"]\nports = [\"0\", \"9-8\"]\n").expect_err("three");
        for expected in
            ["3 mistakes", "line 2: 'outbound.allow': '10.0.0.0/33'", "line 3: 'outbound.ports'", "not '9-8'"]
        {
            assert!(error.contains(expected), "{expected}\n{error}");
        }
    }
}
