//! Which addresses of the internet a peer may send us to.
//!
//! The classes follow the IANA special-purpose address registries (RFC 6890 and its updates). What a registry lists
//! is refused, globally reachable or not: no peer lives in a block of a protocol's own. Addresses that carry an IPv4
//! address inside (mapped, NAT64, 6to4, ISATAP) are judged by it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Unspecified,
    Loopback,
    Private,
    LinkLocal,
    Shared,
    SpecialPurpose,
    Documentation,
    Multicast,
    Reserved,
    /// A cloud hands out credentials there.
    Metadata,
}

impl Class {
    /// For sentences: "… is a <name> address".
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Shared => "shared (carrier-grade NAT)",
            Self::SpecialPurpose => "special-purpose",
            Self::Documentation => "documentation",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
            Self::Metadata => "cloud metadata",
        }
    }

    /// Whether machines of a private network may have such addresses. Link-local ones are not among them: there clouds
    /// hand out the credentials of a machine to whoever asks on it.
    pub(crate) const fn is_of_private_networks(self) -> bool {
        matches!(
            self,
            Self::Loopback | Self::Private | Self::Shared | Self::SpecialPurpose | Self::Documentation
        )
    }
}

/// Where clouds hand out a machine's credentials outside of the link-local range: Alibaba, Oracle, Azure's agent; Amazon
/// and Google over IPv6.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// The class of an address that must not be connected to, or `None` for a public one.
pub(crate) fn forbidden_class(address: IpAddr) -> Option<Class> {
    let is_metadata = match inner(address) {
        IpAddr::V4(v4) => METADATA_V4.contains(&v4),
        IpAddr::V6(v6) => METADATA_V6.contains(&v6),
    };
    if is_metadata {
        return Some(Class::Metadata);
    }
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => forbidden_v6(v6),
    }
}

/// The address that packets to `address` end at: the IPv4 address inside, where there is one.
pub(crate) fn inner(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    embedded(v6).map_or(address, IpAddr::V4)
}

fn forbidden_v4(address: Ipv4Addr) -> Option<Class> {
    Some(match address.octets() {
        // "This network" (RFC 791 §3.2): Linux connects 0.0.0.0 to itself.
        [0, ..] => Class::Unspecified,
        [127, ..] => Class::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Class::Private,
        [169, 254, ..] => Class::LinkLocal,
        [100, 64..=127, ..] => Class::Shared,
        // IETF protocol assignments, AS112, AMT, 6to4 relays, benchmarks.
        [192, 0, 0, _]
        | [192, 31, 196, _]
        | [192, 52, 193, _]
        | [192, 88, 99, _]
        | [192, 175, 48, _]
        | [198, 18..=19, ..] => Class::SpecialPurpose,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Class::Documentation,
        [224..=239, ..] => Class::Multicast,
        [240..=255, ..] => Class::Reserved,
        _ => return None,
    })
}

fn forbidden_v6(address: Ipv6Addr) -> Option<Class> {
    if let Some(v4) = embedded(address) {
        return forbidden_v4(v4);
    }
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Class::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        [0xfe80..=0xfebf, ..] => Class::LinkLocal,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Class::Private,
        [0xff00..=0xffff, ..] => Class::Multicast,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Class::Documentation,
        // IETF protocol assignments (Teredo and ORCHID among them), AS112.
        [0x2001, 0..=0x1ff, ..] | [0x2620, 0x4f, 0x8000, ..] => Class::SpecialPurpose,
        [0x2000..=0x3fff, ..] => return None,
        // IPv4-compatible addresses, translation prefixes of networks' own, discard-only, segment routing.
        _ => Class::Reserved,
    })
}

/// The IPv4 address that an IPv6 address stands for.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        // Mapped (RFC 4291 §2.5.5.2), NAT64's well-known prefix (RFC 6052), and 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        // ISATAP (RFC 5214 §6.1), inside a prefix that is public by itself.
        [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(v4(high, low)),
        _ => None,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(text: &str) -> Option<Class> {
        forbidden_class(text.parse().expect("an address"))
    }

    /// First and last address of every block in the IANA IPv4 special-purpose registry, and multicast.
    #[test]
    fn every_special_block_of_ipv4_is_refused_to_its_borders() {
        for (first, last, class) in [
            ("0.0.0.0", "0.255.255.255", Class::Unspecified),
            ("10.0.0.0", "10.255.255.255", Class::Private),
            ("100.64.0.0", "100.127.255.255", Class::Shared),
            ("127.0.0.0", "127.255.255.255", Class::Loopback),
            ("169.254.0.0", "169.254.255.255", Class::LinkLocal),
            ("172.16.0.0", "172.31.255.255", Class::Private),
            ("192.0.0.0", "192.0.0.255", Class::SpecialPurpose),
            ("192.0.2.0", "192.0.2.255", Class::Documentation),
            ("192.31.196.0", "192.31.196.255", Class::SpecialPurpose),
            ("192.52.193.0", "192.52.193.255", Class::SpecialPurpose),
            ("192.88.99.0", "192.88.99.255", Class::SpecialPurpose),
            ("192.168.0.0", "192.168.255.255", Class::Private),
            ("192.175.48.0", "192.175.48.255", Class::SpecialPurpose),
            ("198.18.0.0", "198.19.255.255", Class::SpecialPurpose),
            ("198.51.100.0", "198.51.100.255", Class::Documentation),
            ("203.0.113.0", "203.0.113.255", Class::Documentation),
            ("224.0.0.0", "239.255.255.255", Class::Multicast),
            ("240.0.0.0", "255.255.255.255", Class::Reserved),
        ] {
            for text in [first, last] {
                assert_eq!(class_of(text), Some(class), "{text}");
                for carrier in carriers(text.parse().expect("an address")) {
                    assert_eq!(forbidden_class(carrier), Some(class), "{text} inside {carrier}");
                }
            }
        }
    }

    /// The spellings of an IPv4 address in IPv6 that packets to it may have.
    fn carriers(v4: Ipv4Addr) -> [IpAddr; 5] {
        let [a, b, c, d] = v4.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        [
            [0, 0, 0, 0, 0, 0xffff, high, low],
            [0x64, 0xff9b, 0, 0, 0, 0, high, low],
            [0x2002, high, low, 0, 0, 0, 0, 1],
            [0x2606, 0x4700, 0, 0, 0, 0x5efe, high, low],
            [0x2606, 0x4700, 0, 0, 0x200, 0x5efe, high, low],
        ]
        .map(|segments| IpAddr::V6(segments.into()))
    }

    #[test]
    fn every_special_block_of_ipv6_is_refused_to_its_borders() {
        for (first, last, class) in [
            ("::", "::", Class::Unspecified),
            ("::1", "::1", Class::Loopback),
            // IPv4-compatible, of which ::127.0.0.1 is one, and everything else in ::/8.
            ("::2", "::fffe:ffff:ffff", Class::Reserved),
            ("::127.0.0.1", "::10.0.0.1", Class::Reserved),
            ("::ffff:0:7f00:1", "::ffff:0:a00:1", Class::Reserved),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Class::Reserved),
            ("100::", "100::ffff:ffff:ffff:ffff", Class::Reserved),
            ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", Class::Reserved),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Class::SpecialPurpose),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Class::Documentation),
            ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", Class::SpecialPurpose),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Documentation),
            ("4000::", "5eff:ffff::", Class::Reserved),
            ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Reserved),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Private),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::LinkLocal),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Private),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Multicast),
        ] {
            assert_eq!(class_of(first), Some(class), "{first}");
            assert_eq!(class_of(last), Some(class), "{last}");
        }
    }

    #[test]
    fn the_neighbours_of_special_blocks_are_public() {
        for text in [
            "1.0.0.0",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.31.195.255",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.114.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2001:db7::1",
            "2620:4f:8001::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "2606:4700::5efe:101:101",
        ] {
            assert_eq!(class_of(text), None, "{text}");
        }
    }

    #[test]
    fn no_private_network_lifts_the_metadata_services_of_clouds() {
        for text in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "0.0.0.0",
            "255.255.255.255",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "::ffff:100.100.100.200",
        ] {
            assert!(!class_of(text).expect("special").is_of_private_networks(), "{text}");
        }
    }
}
