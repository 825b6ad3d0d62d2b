//! Where the agents find the services.

use std::fmt;

/// A client of the token service by which one plane proves itself to the other.
#[derive(Clone)]
pub struct PlaneClient {
    /// The client id; also the plane's id.
    pub id: String,
    /// The client secret.
    pub secret: String,
}

impl fmt::Debug for PlaneClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaneClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Addresses and clients. All URLs are without a slash at their end.
#[derive(Debug, Clone)]
pub struct AgentsConfig {
    /// The control plane's Administration APIs.
    pub control_plane_url: String,
    /// The credential service's Administration APIs.
    pub credential_service_url: String,
    /// The issuer's Administration APIs.
    pub issuer_service_url: String,
    /// The data plane.
    pub data_plane_url: String,
    /// The URL by which the world reaches the participants' protocol endpoints.
    pub public_url: String,
    /// Where tokens are given.
    pub token_endpoint: String,
    /// The control plane's client, for its signals.
    pub control_plane: PlaneClient,
    /// The data plane's client, for its callbacks.
    pub data_plane: PlaneClient,
}

/// The segment of a path that stands for a text.
pub(crate) fn segment(text: &str) -> String {
    text.bytes().fold(String::new(), |mut segment, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => segment.push(byte.into()),
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
        segment
    })
}
