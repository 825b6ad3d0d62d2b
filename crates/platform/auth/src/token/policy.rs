//! What an operator may set of the token service.

use std::{net::IpAddr, time::Duration};

/// How often keys are replaced, and how many requests are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPolicy {
    /// The age at which a signing key is replaced.
    pub rotate_after: Duration,
    /// Requests of one client within a minute.
    pub client_requests_per_minute: u32,
    /// Requests from one address (of IPv6, one network of 64 bits) within a minute.
    pub address_requests_per_minute: u32,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self {
            rotate_after: Duration::from_secs(90 * 24 * 3600),
            client_requests_per_minute: 600,
            address_requests_per_minute: 6000,
            trusted_proxies: Vec::new(),
        }
    }
}

/// Addresses with the same beginning, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, perhaps with a slash and the number of its bits, such as 10.0.0.0/8")]
pub struct InvalidNetwork;

impl std::str::FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| InvalidNetwork)?;
        if bits > most { Err(InvalidNetwork) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    /// Whether the address belongs to it. An IPv4 address in IPv6 clothes is an IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.bits.min(32));
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.bits);
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_begins_alike() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().expect("legal").contains(address.parse().expect("an address"))
        };
        assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"), "mapped");
        assert!(contains("fd00::/8", "fd12::1") && !contains("fd00::/8", "fe80::1"));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "host/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
