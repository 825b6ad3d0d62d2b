//! What an operator allows besides the public internet: networks, hosts, ports.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    ops::RangeInclusive,
    str::FromStr,
};

use url::Host;

use crate::address::{Class, forbidden_class, inner};

/// A place that requests may go to although it is not public: `10.2.0.0/16`, `fd00::/8`, `192.168.7.9`, the host
/// `edc.partner.internal`, or with `*.partner.internal` every host below that name. A listed host may have any address,
/// so whoever rules its name decides where our requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Network {
        first: u128,
        /// How many of the leading bits count, from 0 to 128.
        bits: u32,
    },
    Host(String),
    /// With its leading dot.
    HostsBelow(String),
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is neither a network such as 10.2.0.0/16 or fd00::/8, nor an address, nor a host such as \
     connector.partner.internal or *.partner.internal"
)]
pub struct InvalidAllowed(pub String);

impl FromStr for Allowed {
    type Err = InvalidAllowed;

    fn from_str(text: &str) -> Result<Self, InvalidAllowed> {
        let invalid = || InvalidAllowed(text.to_owned());
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| invalid())?;
            let (bits, most) =
                (bits.parse::<u32>().map_err(|_| invalid())?, if address.is_ipv4() { 32 } else { 128 });
            let bits = (bits <= most).then(|| 128 - most + bits).ok_or_else(invalid)?;
            return Ok(Self(Place::Network { first: number(address), bits }));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(Place::Network { first: number(address), bits: 128 }));
        }
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        match Host::parse(name) {
            Ok(Host::Domain(name)) if !name.trim_end_matches('.').is_empty() && !name.contains('*') => {
                let name = name.trim_end_matches('.');
                Ok(Self(if below {
                    Place::HostsBelow(format!(".{name}"))
                } else {
                    Place::Host(name.to_owned())
                }))
            }
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Host(name) => f.write_str(name),
            Place::HostsBelow(name) => write!(f, "*{name}"),
            Place::Network { first, bits } => match Ipv6Addr::from_bits(*first).to_ipv4_mapped() {
                Some(v4) if *bits >= 96 => write!(f, "{v4}/{}", bits - 96),
                _ => write!(f, "{}/{bits}", Ipv6Addr::from_bits(*first)),
            },
        }
    }
}

/// An address as a number; IPv4 has its place in the mapped block.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// What one client may connect to.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub private: bool,
    pub allowed: Vec<Allowed>,
    pub ports: Vec<RangeInclusive<u16>>,
}

impl Rules {
    /// Why an address must not be connected to.
    pub fn refuse(&self, address: IpAddr) -> Option<Class> {
        let class = forbidden_class(address)?;
        let lifted = self.private && class.is_of_private_networks();
        (!lifted && !self.lists(address) && !self.lists(inner(address))).then_some(class)
    }

    fn lists(&self, address: IpAddr) -> bool {
        let address = number(address);
        self.allowed.iter().any(|allowed| match &allowed.0 {
            Place::Network { first, bits } => {
                // A shift by all 128 bits would overflow: then everything is inside.
                (address ^ first).checked_shr(128 - bits).is_none_or(|difference| difference == 0)
            }
            _ => false,
        })
    }

    /// Whether a host is listed by its name, in the form that URLs give it: lower case, without a trailing dot.
    pub fn lists_host(&self, name: &str) -> bool {
        self.allowed.iter().any(|allowed| match &allowed.0 {
            Place::Host(listed) => listed == name,
            Place::HostsBelow(parent) => name.len() > parent.len() && name.ends_with(parent),
            Place::Network { .. } => false,
        })
    }

    /// Whether a port may be connected to.
    pub fn allows_port(&self, port: u16) -> bool {
        self.ports.iter().any(|range| range.contains(&port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(private: bool, allowed: &[&str]) -> Rules {
        let allowed = allowed.iter().map(|text| text.parse().expect("a place")).collect();
        Rules { private, allowed, ports: vec![443..=443] }
    }

    #[test]
    fn places_are_read_and_shown() {
        for (text, shown) in [
            ("10.2.0.0/16", "10.2.0.0/16"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.168.7.9", "192.168.7.9/32"),
            ("fd00::/8", "fd00::/8"),
            ("::/0", "::/0"),
            ("Connector.Partner.Internal.", "connector.partner.internal"),
            ("*.partner.internal", "*.partner.internal"),
            ("bücher.internal", "xn--bcher-kva.internal"),
        ] {
            assert_eq!(text.parse::<Allowed>().expect(text).to_string(), shown);
        }
        for text in [
            "",
            "*",
            "*.",
            ".",
            "10.0.0.0/33",
            "fd00::/129",
            "10.0.0.0/",
            "a b",
            "a.*.b",
            "https://a",
            "10/8",
            "a/8",
            "0x7f.1",
        ] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_listed_network_is_allowed_in_every_spelling_and_nothing_beside_it() {
        let rules = rules(false, &["10.2.0.0/16", "fd00:1::/32", "169.254.7.7"]);
        for text in [
            "10.2.0.0",
            "10.2.255.255",
            "::ffff:10.2.3.4",
            "64:ff9b::a02:304",
            "fd00:1:2::3",
            "169.254.7.7",
            "1.1.1.1",
        ] {
            assert_eq!(rules.refuse(text.parse().expect("an address")), None, "{text}");
        }
        for text in
            ["10.1.255.255", "10.3.0.0", "fd00:2::1", "169.254.169.254", "127.0.0.1", "::ffff:10.3.0.1"]
        {
            assert!(rules.refuse(text.parse().expect("an address")).is_some(), "{text}");
        }
    }

    #[test]
    fn private_networks_as_a_whole_do_not_include_what_only_attackers_ask_for() {
        let rules = rules(true, &[]);
        for text in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "fd00::1", "::1", "100.64.0.1"] {
            assert_eq!(rules.refuse(text.parse().expect("an address")), None, "{text}");
        }
        for text in ["169.254.169.254", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "fe80::1"] {
            assert!(rules.refuse(text.parse().expect("an address")).is_some(), "{text}");
        }
    }

    #[test]
    fn hosts_are_listed_whole() {
        let rules = rules(false, &["a.internal", "*.b.internal"]);
        for name in ["a.internal", "x.b.internal", "x.y.b.internal"] {
            assert!(rules.lists_host(name), "{name}");
        }
        for name in ["x.a.internal", "b.internal", ".b.internal", "xb.internal", "a.internal.evil.example"] {
            assert!(!rules.lists_host(name), "{name}");
        }
    }
}
