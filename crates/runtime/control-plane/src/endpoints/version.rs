//! Version discovery (DSP 2025-1 §"Exposure of Dataspace Protocol Versions"): one entry for each dataspace profile
//! that the participant takes part in. Anybody may ask.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::get};
use heddle_dsp::wire::{Auth, Binding, VERSION, Version};
use heddle_ids::{ParticipantContextId, ProfileName};
use heddle_web::{Kind, Path, Plain, Refused, Rejection, reply};
use http::StatusCode;
use serde::Serialize;

use crate::{
    ControlPlane,
    model::{DataspaceProfile, IdentityService},
};

/// Routes below `/api/dsp/{context}/.well-known`.
pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new().route("/dspace-version", get(versions))
}

/// The document of the protocol, where each version names its dataspace profile too, as EDC connectors do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    protocol_versions: Vec<ProfiledVersion>,
}

#[derive(Debug, Serialize)]
struct ProfiledVersion {
    #[serde(flatten)]
    version: Version,
    profile: ProfileName,
}

async fn versions(
    State(plane): State<Arc<ControlPlane>>,
    Path(context, ..): Path<ParticipantContextId, Plain>,
) -> Result<Response, Refused<Plain>> {
    let unknown = || Rejection::new(Kind::NotFound, "Not found.");
    let participant = plane.participant(context.as_str()).await?.ok_or_else(unknown)?;
    let mut protocol_versions = Vec::new();
    for name in &participant.profiles {
        protocol_versions.extend(plane.profile(name.as_str()).await?.map(version));
    }
    Ok(reply(StatusCode::OK, &Versions { protocol_versions }))
}

fn version(profile: DataspaceProfile) -> ProfiledVersion {
    let dcp = profile.identity == IdentityService::Dcp;
    let auth = Auth { protocol: "DCP".to_owned(), version: "1.0".to_owned(), profile: Vec::new() };
    let version = Version {
        version: VERSION.to_owned(),
        path: format!("/{}", profile.name),
        binding: Binding::Https,
        service_id: None,
        identifier_type: dcp.then(|| "did:web".to_owned()),
        auth: dcp.then_some(auth),
    };
    ProfiledVersion { version, profile: profile.name }
}
