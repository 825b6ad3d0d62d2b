//! The services of a manifest.

use heddle_did::Did;
use heddle_ids::ParticipantContextId;
use serde::Deserialize;

use super::{InvalidManifest, ServiceEndpoint, fragment, invalid};

/// Most services of one manifest.
const SERVICES_MAX: usize = 32;
/// Longest URL of a service, in bytes.
const URL_BYTES_MAX: usize = 2048;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceDescriptor {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    service_endpoint: String,
}

/// The services as they are published; the credential service of this installation is added when none is named.
pub(super) fn services(
    descriptors: Vec<ServiceDescriptor>,
    (did, context): (&Did, &ParticipantContextId),
    public_url: &str,
) -> Result<Vec<ServiceEndpoint>, InvalidManifest> {
    if descriptors.len() > SERVICES_MAX {
        return invalid("/serviceEndpoints", format!("at most {SERVICES_MAX} services"));
    }
    let mut services: Vec<ServiceEndpoint> = Vec::new();
    for (index, service) in descriptors.into_iter().enumerate() {
        let at = format!("/serviceEndpoints/{index}");
        let fragment = fragment(&format!("{at}/id"), &service.id, did)?;
        if services.iter().any(|other| other.fragment == fragment) {
            return invalid(format!("{at}/id"), "two services cannot have one id");
        }
        let endpoint = service.service_endpoint;
        let is_url = endpoint.starts_with("https://") || endpoint.starts_with("http://");
        if !is_url || endpoint.len() > URL_BYTES_MAX || endpoint.contains(char::is_whitespace) {
            return invalid(format!("{at}/serviceEndpoint"), "a service has an http or https URL");
        }
        if service.kind.is_empty() {
            return invalid(format!("{at}/type"), "a service has a type, such as CredentialService");
        }
        services.push(ServiceEndpoint { fragment, kind: service.kind, endpoint });
    }
    if !services.iter().any(|service| service.kind == "CredentialService") {
        services.push(ServiceEndpoint {
            fragment: "credential-service".to_owned(),
            kind: "CredentialService".to_owned(),
            endpoint: format!(
                "{public_url}/api/credentials/v1/participants/{}",
                crate::segment::segment(context.as_str())
            ),
        });
    }
    Ok(services)
}
