//! Paths of the HTTPS binding below the peer's base URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::process::PeerPid;

/// Everything but the unreserved characters of RFC 3986 and `:`, which process ids such as `urn:uuid:…` have.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// `/negotiations/{pid}/agreement`; without a process id `/negotiations/request`.
pub(crate) fn process_path(collection: &str, peer_pid: Option<&PeerPid>, suffix: &str) -> String {
    match peer_pid {
        Some(pid) => format!("/{collection}/{}/{suffix}", segment(pid.as_str())),
        None => format!("/{collection}/{suffix}"),
    }
}

/// `/negotiations/{pid}`: where the peer shows its process.
pub(crate) fn peer_path(collection: &str, peer_pid: &PeerPid) -> String {
    format!("/{collection}/{}", segment(peer_pid.as_str()))
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    // A segment of dots alone would climb the path.
    if text.bytes().all(|byte| byte == b'.') {
        "%2E".repeat(text.len())
    } else {
        utf8_percent_encode(text, SEGMENT).to_string()
    }
}

/// `/catalog/datasets/{id}`.
#[must_use]
pub fn dataset_path(dataset: &heddle_ids::AssetId) -> String {
    format!("/catalog/datasets/{}", segment(dataset.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Role;

    #[test]
    fn a_process_id_is_one_segment() {
        let path = |pid: &str| {
            let pid = PeerPid::parse(Role::Provider, pid).expect("legal");
            assert_eq!(
                format!("{}/events", peer_path("negotiations", &pid)),
                process_path("negotiations", Some(&pid), "events")
            );
            process_path("negotiations", Some(&pid), "events")
        };
        assert_eq!(path("urn:uuid:1"), "/negotiations/urn:uuid:1/events");
        assert_eq!(path("a/b?c#d%"), "/negotiations/a%2Fb%3Fc%23d%25/events");
        assert_eq!(path(".."), "/negotiations/%2E%2E/events");
        assert_eq!(process_path("transfers", None, "request"), "/transfers/request");
    }
}
