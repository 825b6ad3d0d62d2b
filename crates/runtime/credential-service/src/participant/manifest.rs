//! What a client asks for when it makes a participant context: the wire form, and what is meant by it.
//!
//! Both spellings are read: `keys` (an array) and the older `key` (one object). Unknown members are ignored.
//! Keys are always generated here: a private key is never brought in, so `publicKeyJwk` and `publicKeyPem` are
//! refused.

use heddle_did::{Did, DidUrl, web};
use heddle_ids::{KeyPairId, ParticipantContextId};
use heddle_jose::Algorithm;
use serde::Deserialize;

use super::{ServiceEndpoint, Settings, Usage};

mod keys;
mod services;

use keys::{KeyDescriptor, keys};
use services::{ServiceDescriptor, services};

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
        check_did(&self.did)?;
        self.settings
            .check()
            .map_err(|message| InvalidManifest { pointer: "/settings".to_owned(), message })?;
        let keys = keys(self.keys, self.key, &self.did)?;
        let services =
            services(self.service_endpoints, (&self.did, &self.participant_context_id), public_url)?;
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

/// The DID must be found again by the location that it names, so it has to be spelt in the one way that leads there.
fn check_did(did: &Did) -> Result<(), InvalidManifest> {
    let url = match web::url_of(did, web::Scheme::Https) {
        Ok(url) => url,
        Err(error) => return invalid("/did", format!("the DID must be a did:web: {error}")),
    };
    let location = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let found = location.and_then(|(host, path)| web::did_of(host, &format!("/{path}")).ok());
    match found {
        Some(found) if found == *did => Ok(()),
        Some(found) => invalid("/did", format!("the DID must be spelt '{found}'")),
        None => invalid("/did", "the DID must name a host and a path"),
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

#[cfg(test)]
mod tests;
