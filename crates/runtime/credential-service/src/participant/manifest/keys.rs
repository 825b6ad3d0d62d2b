//! The keys of a manifest: `keys` (an array) or the older `key` (one object).

use heddle_did::Did;
use heddle_ids::KeyPairId;
use heddle_jose::Algorithm;
use serde::Deserialize;
use serde_json::Value;

use super::{InvalidManifest, NewKey, Usage, fragment, invalid};

/// Most keys of one manifest.
const KEYS_MAX: usize = 8;
/// The only type of verification method that is made.
const KEY_TYPE: &str = "JsonWebKey2020";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyDescriptor {
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

const fn yes() -> bool {
    true
}

/// What is meant by either spelling; without keys, one.
pub(super) fn keys(
    many: Vec<KeyDescriptor>,
    one: Option<KeyDescriptor>,
    did: &Did,
) -> Result<Vec<NewKey>, InvalidManifest> {
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
