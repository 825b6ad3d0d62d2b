//! How planes make themselves known to each other.

use heddle_ids::{ControlPlaneId, DataPlaneId};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use super::{
    AuthorizationEntry, LABELS_MAX, Malformed, Message,
    request::{bounded, either},
};
use crate::TransferProfile;

/// Most profiles that a data plane may register.
pub const PROFILES_MAX: usize = 256;

/// A data plane makes itself known to a control plane (DPS 1.0, `PUT /dataplanes`). Repeating it replaces
/// what was registered before.
///
/// Release candidate 2 calls the profiles `transferTypes`: both members are written, either is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPlaneRegistrationMessage {
    /// The data plane.
    pub dataplane_id: DataPlaneId,
    /// Base URL of its signaling endpoints.
    pub endpoint: String,
    /// The transfer profiles that it supports, as it names them. A name may be unreadable to us and still be
    /// of use to others: see [`Self::transfer_profiles`].
    pub profiles: Vec<String>,
    /// Labels for the choice of a data plane.
    pub labels: Vec<String>,
    /// How the control plane proves itself when it calls. Optional in the text of DPS and required in its
    /// schema: always send one.
    pub authorization: Option<AuthorizationEntry>,
}

impl DataPlaneRegistrationMessage {
    /// The profiles that name a transport and a direction.
    pub fn transfer_profiles(&self) -> impl Iterator<Item = TransferProfile> {
        self.profiles.iter().filter_map(|name| TransferProfile::parse(name).ok())
    }
}

/// The members of a data plane's registration in every spelling.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataPlaneWire {
    dataplane_id: DataPlaneId,
    endpoint: String,
    profiles: Option<Vec<String>>,
    transfer_types: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    authorization: Option<AuthorizationEntry>,
}

impl Message for DataPlaneRegistrationMessage {
    type Wire = DataPlaneWire;

    fn from_wire(wire: DataPlaneWire) -> Result<Self, Malformed> {
        check_endpoint(&wire.endpoint)?;
        let profiles = either(("profiles", wire.profiles), ("transferTypes", wire.transfer_types))?;
        Ok(Self {
            dataplane_id: wire.dataplane_id,
            endpoint: wire.endpoint,
            profiles: bounded(Some(profiles), "/profiles", PROFILES_MAX)?,
            labels: bounded(wire.labels, "/labels", LABELS_MAX)?,
            authorization: wire.authorization,
        })
    }
}

impl Serialize for DataPlaneRegistrationMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("DataPlaneRegistrationMessage", 6)?;
        out.serialize_field("dataplaneId", &self.dataplane_id)?;
        out.serialize_field("endpoint", &self.endpoint)?;
        out.serialize_field("profiles", &self.profiles)?;
        out.serialize_field("transferTypes", &self.profiles)?;
        if !self.labels.is_empty() {
            out.serialize_field("labels", &self.labels)?;
        }
        if let Some(authorization) = &self.authorization {
            out.serialize_field("authorization", authorization)?;
        }
        out.end()
    }
}

/// A control plane makes itself known to a data plane (DPS 1.0, `PUT /controlplanes`). Repeating it replaces
/// what was registered before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlaneRegistrationMessage {
    /// The control plane.
    pub controlplane_id: ControlPlaneId,
    /// Base URL for callbacks.
    pub endpoint: String,
    /// How the data plane proves itself when it calls back. Optional in the text of DPS and required in its
    /// schema: always send one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<AuthorizationEntry>,
}

impl Message for ControlPlaneRegistrationMessage {
    type Wire = Self;

    fn from_wire(wire: Self) -> Result<Self, Malformed> {
        check_endpoint(&wire.endpoint)?;
        Ok(wire)
    }
}

/// Whether an endpoint may be called at all is decided by the HTTP client; here it must look like a URL.
fn check_endpoint(endpoint: &str) -> Result<(), Malformed> {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            Ok(())
        }
        _ => Err(Malformed::new("/endpoint", "an absolute URL with the scheme https or http")),
    }
}
