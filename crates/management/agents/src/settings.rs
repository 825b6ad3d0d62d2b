//! Where the agents find the services, and who the planes are.

use std::fmt;

use heddle_agent::ActivityContext;

/// The issuer's participant context where nothing else is said.
pub const DEFAULT_ISSUER: &str = "issuer";

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
    /// Where data planes tell the control plane what they do.
    pub signaling_url: String,
    /// The data plane.
    pub data_plane_url: String,
    /// The URL by which the world reaches the participants' protocol endpoints.
    pub public_url: String,
    /// The issuer's participant context, unless the manifest names one
    /// (`participantContextId`); usually [`DEFAULT_ISSUER`].
    pub issuer_context: String,
    /// Where tokens are given.
    pub token_endpoint: String,
    /// The control plane's client, for its signals.
    pub control_plane: PlaneClient,
    /// The data plane's client, for its callbacks.
    pub data_plane: PlaneClient,
}

/// A service that agents call, or that others call at a participant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    ControlPlane,
    Credentials,
    DataPlane,
    Issuer,
    Signaling,
    /// Not one that agents call: what DID documents name.
    Public,
}

impl AgentsConfig {
    /// The base URL of the service that works for the orchestration's participant. Every URL that an agent uses begins
    /// here, so that cells with services of their own are a matter of this function alone. It never takes a URL from
    /// properties that a tenant may set: the agents' token goes there.
    pub(crate) fn base(&self, service: Service, _context: &ActivityContext) -> &str {
        match service {
            Service::ControlPlane => &self.control_plane_url,
            Service::Credentials => &self.credential_service_url,
            Service::DataPlane => &self.data_plane_url,
            Service::Issuer => &self.issuer_service_url,
            Service::Signaling => &self.signaling_url,
            Service::Public => &self.public_url,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_is_one_segment() {
        assert_eq!(segment("did:web:a%3A1:b/c"), "did%3Aweb%3Aa%253A1%3Ab%2Fc");
    }

    #[test]
    fn secrets_are_not_shown() {
        let plane = PlaneClient { id: "cp".to_owned(), secret: "hunter2".to_owned() };
        assert!(!format!("{plane:?}").contains("hunter2"));
    }
}
