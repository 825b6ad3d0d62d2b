//! From where a request comes, also through proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use crate::Network;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client: that of the connection or, where that is of a proxy that is trusted, the last one that the
/// chain of trusted proxies was spoken to from. What stands further to the left of the header anybody may write.
pub(super) fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut address = peer.ip();
    let values: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let mut hops = values.iter().rev().flat_map(|value| value.rsplit(',')).map(str::trim);
    while trusted.iter().any(|network| network.contains(address)) {
        match hops.next().map(|hop| hop.parse().or_else(|_| hop.parse::<SocketAddr>().map(|hop| hop.ip()))) {
            Some(Ok(hop)) => address = hop,
            _ => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().expect("legal")).collect();
        client_address(SocketAddr::new(peer.parse().expect("an address"), 1), &headers, &trusted).to_string()
    }

    #[test]
    fn proxies_are_believed_as_far_as_they_are_trusted() {
        let proxies = ["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 2.2.2.2"], &proxies), "2.2.2.2", "the left one is made up");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "10.0.0.2"], &proxies), "1.1.1.1", "two proxies");
        assert_eq!(seen("10.0.0.1", &["2.2.2.2:4711"], &proxies), "2.2.2.2");
        assert_eq!(seen("9.9.9.9", &["1.1.1.1"], &proxies), "9.9.9.9", "no proxy of ours");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1"], &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["unknown"], &proxies), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[], &proxies), "10.0.0.1");
    }
}
