//! No spelling of an address that is not public passes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::{prelude::*, sample::select};

use super::Guard;
use crate::{OutboundConfig, OutboundError, Refusal, address::forbidden_class};

/// Blocks of which addresses are drawn, with the number of bits that are fixed.
const BLOCKS: [(&str, u32); 14] = [
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("198.18.0.0", 15),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
];

/// The base that a part of an address is written in.
#[derive(Debug, Clone, Copy)]
enum Base {
    Decimal,
    /// With this many more zeros in front.
    Octal(usize),
    Hexadecimal(usize),
}

fn private() -> impl Strategy<Value = Ipv4Addr> {
    (select(&BLOCKS[..]), any::<u32>()).prop_map(|((block, bits), rest)| {
        let block: Ipv4Addr = block.parse().expect("an address");
        Ipv4Addr::from_bits(block.to_bits() | (rest & (u32::MAX >> bits)))
    })
}

fn base() -> impl Strategy<Value = Base> {
    prop_oneof![
        Just(Base::Decimal),
        (0..4_usize).prop_map(Base::Octal),
        (0..4_usize).prop_map(Base::Hexadecimal)
    ]
}

fn write(part: u32, base: Base) -> String {
    match base {
        Base::Decimal => part.to_string(),
        Base::Octal(zeros) => format!("0{}{part:o}", "0".repeat(zeros)),
        Base::Hexadecimal(zeros) => format!("0x{}{part:x}", "0".repeat(zeros)),
    }
}

/// One to four parts, the last of which holds all bytes that are left (`inet_aton`).
fn dotted(address: Ipv4Addr, parts: usize, bases: [Base; 4]) -> String {
    let bits = address.to_bits();
    let leading = address.octets().into_iter().take(parts - 1).map(u32::from);
    let rest = if parts == 1 { bits } else { bits & (u32::MAX >> (8 * (parts - 1))) };
    let all = leading.chain([rest]).zip(bases).map(|(part, base)| write(part, base));
    all.collect::<Vec<_>>().join(".")
}

/// How a character may be dressed so that it means the same in a host.
fn dress(text: &str, how: &[u8]) -> String {
    let dressed = text.chars().zip(how.iter().cycle()).map(|(c, how)| match how % 4 {
        1 => c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
        // Full-width forms, which the mapping of internationalised names takes back.
        2 if c.is_ascii_graphic() => char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c).to_string(),
        3 if c == '.' => "\u{3002}".to_owned(),
        3 => c.to_ascii_uppercase().to_string(),
        _ => c.to_string(),
    });
    dressed.collect()
}

/// The address inside an IPv6 address.
fn carried(address: Ipv4Addr, how: usize) -> Ipv6Addr {
    let [a, b, c, d] = address.octets().map(u16::from);
    let (high, low) = (a << 8 | b, c << 8 | d);
    let segments = match how {
        0 => [0, 0, 0, 0, 0, 0xffff, high, low],
        1 => [0, 0, 0, 0, 0, 0, high, low],
        2 => [0x64, 0xff9b, 0, 0, 0, 0, high, low],
        3 => [0x64, 0xff9b, 1, 0, 0, 0, high, low],
        4 => [0x2002, high, low, 0, 0, 0, 0, 1],
        5 => [0, 0, 0, 0, 0xffff, 0, high, low],
        _ => [0x2606, 0x4700, 0, 0, 0, 0x5efe, high, low],
    };
    segments.into()
}

fn written(address: Ipv6Addr, how: u8) -> String {
    let segments = address.segments();
    match how % 4 {
        0 => address.to_string(),
        1 => segments.map(|segment| format!("{segment:x}")).join(":"),
        2 => segments.map(|segment| format!("{segment:04X}")).join(":"),
        _ => {
            let [head @ .., high, low] = segments;
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            format!("{}:{a}.{b}.{c}.{d}", head.map(|segment| format!("{segment:x}")).join(":"))
        }
    }
}

fn refusal(url: &str) -> Option<Refusal> {
    let guard = Guard::new(&OutboundConfig { allow_http: true, ..OutboundConfig::default() }).expect("legal");
    match guard.check(url) {
        Err(OutboundError::Refused { reason, .. }) => Some(reason),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_spelling_of_a_private_ipv4_address_passes(
        address in private(),
        parts in 1..=4_usize,
        bases in [base(), base(), base(), base()],
        how in proptest::collection::vec(any::<u8>(), 1..16),
        (scheme, separator, end) in (
            select(vec!["http", "https", "HTTP"]),
            select(vec!["://", ":", ":/", ":\\\\", ":////"]),
            select(vec!["", "/", ".", "./x", ":8443/", ".:8443", "?q", "#f", "\\x"]),
        ),
    ) {
        let url = format!("{scheme}{separator}{}{end}", dress(&dotted(address, parts, bases), &how));
        let refused = refusal(&url);
        prop_assert!(refused.is_some(), "{url} ({address}) passes");
        // With plain characters it is recognised for what it is, not for its spelling.
        if how.iter().all(|how| how % 4 == 0) {
            let is_address = matches!(refused, Some(Refusal::Address { .. }));
            prop_assert!(is_address, "{url} ({address}): {refused:?}");
        }
    }

    #[test]
    fn no_spelling_of_a_private_address_inside_ipv6_passes(
        address in private(),
        how in 0..7_usize,
        form in any::<u8>(),
        end in select(vec!["", "/", ":8443/x"]),
    ) {
        let address = carried(address, how);
        let url = format!("https://[{}]{end}", written(address, form));
        let is_address = matches!(refusal(&url), Some(Refusal::Address { .. }));
        prop_assert!(is_address, "{url} ({address}) passes");
    }

    /// Whatever passes is an address that is public, and the one that was meant.
    #[test]
    fn what_passes_is_public(address in any::<u128>()) {
        let address = Ipv6Addr::from_bits(address);
        let passes = refusal(&format!("https://[{address}]/")).is_none();
        prop_assert_eq!(passes, forbidden_class(IpAddr::V6(address)).is_none());
        prop_assert!(!passes || address.segments()[0] & 0xe000 == 0x2000 || address.segments()[0] == 0x64);
    }
}
