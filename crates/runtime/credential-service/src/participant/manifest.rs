//! What a client asks for when it makes a participant context: the wire form, and what is meant by it.
//!
//! Both spellings are read: `keys` (an array) and the older `key` (one object). Unknown members are ignored.
//! Keys are always generated here: a private key is never brought in, so `publicKeyJwk` and `publicKeyPem` are
//! refused.

use heddle_did::{Did, DidUrl, web};
use heddle_ids::{KeyPairId, ParticipantContextId};
use heddle_jose::Algorithm;
use serde::Deserialize;
use serde_json::Value;

use super::{ServiceEndpoint, Settings, Usage};

/// Most keys of one manifest.
const KEYS_MAX: usize = 8;
/// Most services of one manifest.
const SERVICES_MAX: usize = 32;
/// Longest URL of a service, in bytes.
const URL_BYTES_MAX: usize = 2048;
/// The only type of verification method that is made.
const KEY_TYPE: &str = "JsonWebKey2020";

/// The manifest as it comes over the wire.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParticipantManifest {
    #[serde(alias = "participantId")]
    participant_context_id: ParticipantContextId,
    did: Did,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    keys: Vec<KeyDescriptor>,
    #[serde(default)]
    key: Option<KeyDescriptor>,
    #[serde(default)]
    service_endpoints: Vec<ServiceDescriptor>,
    #[serde(default)]
    settings: Settings,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyDescriptor {
    #[serde(default)]
    resource_id: Option<KeyPairId>,
    key_id: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    private_key_alias: String,
    #[serde(default)]
    key_generator_params: Option<KeyGeneratorParams>,
    #[serde(default)]
    public_key_jwk: Option<Value>,
    #[serde(default)]
    public_key_pem: Option<Value>,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    usage: Vec<Usage>,
}

#[derive(Debug, Deserialize)]
struct KeyGeneratorParams {
    #[serde(default)]
    algorithm: Option<String>,
    #[serde(default)]
    curve: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceDescriptor {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    service_endpoint: String,
}

const fn yes() -> bool {
    true
}

/// A participant context to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewParticipant {
    pub(crate) id: ParticipantContextId,
    pub(crate) did: Did,
    pub(crate) active: bool,
    pub(crate) keys: Vec<NewKey>,
    pub(crate) services: Vec<ServiceEndpoint>,
    pub(crate) settings: Settings,
}

/// A key to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewKey {
    pub(crate) id: Option<KeyPairId>,
    pub(crate) fragment: String,
    pub(crate) private_key_alias: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) active: bool,
    pub(crate) usage: Vec<Usage>,
}

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct InvalidManifest {
    /// Where, as a JSON pointer.
    pub(crate) pointer: String,
    /// What was expected there.
    pub(crate) message: String,
}

fn invalid<T>(pointer: impl Into<String>, message: impl Into<String>) -> Result<T, InvalidManifest> {
    Err(InvalidManifest { pointer: pointer.into(), message: message.into() })
}

impl ParticipantManifest {
    /// Whose context it is to be.
    pub(crate) fn id(&self) -> &ParticipantContextId {
        &self.participant_context_id
    }

    /// What is meant. Without keys one is made (`key-1`, P-256); without a service of the type
    /// `CredentialService` the one of this installation is added.
    pub(crate) fn checked(self, public_url: &str) -> Result<NewParticipant, InvalidManifest> {
        if let Err(error) = web::url_of(&self.did, web::Scheme::Https) {
            return invalid("/did", format!("the DID must be a did:web: {error}"));
        }
        let keys = keys(self.keys, self.key, &self.did)?;
        let services = services(self.service_endpoints, (&self.did, &self.participant_context_id), public_url)?;
        Ok(NewParticipant {
            id: self.participant_context_id,
            did: self.did,
            active: self.active,
            keys,
            services,
            settings: self.settings,
        })
    }
}

fn keys(many: Vec<KeyDescriptor>, one: Option<KeyDescriptor>, did: &Did) -> Result<Vec<NewKey>, InvalidManifest> {
    let (pointer, descriptors): (fn(usize) -> String, _) = match one {
        Some(_) if !many.is_empty() => return invalid("/key", "use either 'key' or 'keys', not both"),
        Some(one) => (|_| "/key".to_owned(), vec![one]),
        None => (|index| format!("/keys/{index}"), many),
    };
    if descriptors.len() > KEYS_MAX {
        return invalid("/keys", format!("at most {KEYS_MAX} keys"));
    }
    let mut keys: Vec<NewKey> = Vec::new();
    for (index, descriptor) in descriptors.into_iter().enumerate() {
        let key = descriptor.checked(&pointer(index), did)?;
        if keys.iter().any(|other| other.fragment == key.fragment) {
            return invalid(format!("{}/keyId", pointer(index)), "two keys cannot have one id");
        }
        keys.push(key);
    }
    if keys.is_empty() {
        keys.push(NewKey {
            id: None,
            fragment: "key-1".to_owned(),
            private_key_alias: did.url("key-1"),
            algorithm: Algorithm::Es256,
            active: true,
            usage: Usage::ALL.to_vec(),
        });
    }
    Ok(keys)
}

impl KeyDescriptor {
    fn checked(self, at: &str, did: &Did) -> Result<NewKey, InvalidManifest> {
        if self.kind.as_deref().is_some_and(|kind| kind != KEY_TYPE) {
            return invalid(format!("{at}/type"), format!("keys are of the type '{KEY_TYPE}'"));
        }
        if self.public_key_jwk.is_some() || self.public_key_pem.is_some() {
            return invalid(at, "keys are generated here: use 'keyGeneratorParams'");
        }
        let Some(parameters) = self.key_generator_params else {
            return invalid(format!("{at}/keyGeneratorParams"), "a key needs 'keyGeneratorParams'");
        };
        let Some(algorithm) = parameters.algorithm() else {
            let message = "keys are EC on secp256r1 (the default) or EdDSA on ed25519";
            return invalid(format!("{at}/keyGeneratorParams"), message);
        };
        if self.private_key_alias.is_empty() || self.private_key_alias.len() > heddle_vault::ALIAS_BYTES_MAX {
            return invalid(format!("{at}/privateKeyAlias"), "an alias has 1 to 512 bytes");
        }
        let usage = if self.usage.is_empty() { Usage::ALL.to_vec() } else { self.usage };
        Ok(NewKey {
            id: self.resource_id,
            fragment: fragment(&format!("{at}/keyId"), &self.key_id, did)?,
            private_key_alias: self.private_key_alias,
            algorithm,
            active: self.active,
            usage,
        })
    }
}

impl KeyGeneratorParams {
    fn algorithm(&self) -> Option<Algorithm> {
        let curve = self.curve.as_deref().map(str::to_ascii_lowercase);
        match (self.algorithm.as_deref().unwrap_or("EC"), curve.as_deref()) {
            ("EC", None | Some("secp256r1" | "p-256")) => Some(Algorithm::Es256),
            ("EdDSA" | "EDDSA", None | Some("ed25519")) => Some(Algorithm::EdDsa),
            _ => None,
        }
    }
}

/// The fragment that an id names: `did#fragment` of this DID, `#fragment`, or the fragment alone.
fn fragment(at: &str, id: &str, did: &Did) -> Result<String, InvalidManifest> {
    let absolute = match (id.starts_with('#'), id.contains('#')) {
        (true, _) => format!("{did}{id}"),
        (false, true) => id.to_owned(),
        (false, false) => did.url(id),
    };
    match DidUrl::parse(&absolute) {
        Ok(url) if url.did == *did => Ok(url.fragment),
        Ok(_) => invalid(at, format!("the id must belong to the DID '{did}'")),
        Err(error) => invalid(at, error.to_string()),
    }
}

fn services(
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
            endpoint: format!("{public_url}/api/credentials/v1/participants/{context}"),
        });
    }
    Ok(services)
}

#[cfg(test)]
mod tests;
