//! Encryption of entries: AES-256-GCM under a key of the owner, bound to owner, alias and content.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use heddle_clock::Environment;
use heddle_store::Aggregate;
use heddle_tenancy::Owner;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{MASTER_KEY_BYTES, VaultError, derivation::Derivation};

/// Separates the keys of this format from all others that may ever be derived from the same root key.
const SALT: &[u8] = b"heddle vault 1";

/// What an entry holds; part of what its ciphertext is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Content {
    Key,
    Secret,
    /// What somebody else keeps; never an entry here.
    Sealed,
}

impl Content {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Secret => "secret",
            Self::Sealed => "sealed text",
        }
    }
}

/// An encrypted entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedEntry {
    alias: String,
    pub(crate) content: Content,
    /// Different for every sealing: two entries with the same nonce are the same entry.
    pub(crate) nonce: String,
    ciphertext: String,
}

impl Aggregate for SealedEntry {
    const KIND: &'static str = "vault";

    fn id(&self) -> &str {
        &self.alias
    }
}

/// The root key: what the keys of all owners are derived from. It never lies anywhere but wrapped by a master key
/// ([`crate::keyring`]), and in the memory of a server.
pub(crate) struct Sealer(Derivation);

impl Sealer {
    pub(crate) fn new(root: &[u8; MASTER_KEY_BYTES]) -> Self {
        Self(Derivation::new(SALT, root))
    }

    pub(crate) fn seal(
        &self,
        environment: &Environment,
        owner: &Owner,
        (alias, content): (&str, Content),
        plaintext: &[u8],
    ) -> SealedEntry {
        let nonce: [u8; NONCE_LEN] = environment.random();
        let mut bytes = Vec::with_capacity(plaintext.len() + AES_256_GCM.tag_len());
        bytes.extend_from_slice(plaintext);
        self.data_key(owner)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(binding(owner, alias, content)),
                &mut bytes,
            )
            .expect("the size of an entry is far below the limit of the cipher");
        let (nonce, ciphertext) = (STANDARD_NO_PAD.encode(nonce), STANDARD_NO_PAD.encode(&bytes));
        SealedEntry { alias: alias.to_owned(), content, nonce, ciphertext }
    }

    pub(crate) fn open(&self, owner: &Owner, entry: &SealedEntry) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let sealed = || VaultError::Sealed { owner: owner.clone(), alias: entry.alias.clone() };
        let nonce = STANDARD_NO_PAD.decode(&entry.nonce).map_err(|_| sealed())?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| sealed())?;
        let bytes = STANDARD_NO_PAD.decode(&entry.ciphertext).map_err(|_| sealed())?;
        let mut bytes = Zeroizing::new(bytes);
        let aad = Aad::from(binding(owner, &entry.alias, entry.content));
        let length = self.data_key(owner).open_in_place(nonce, aad, &mut bytes).map_err(|_| sealed())?.len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// As a text for somebody else to keep: nonce and ciphertext.
    pub(crate) fn wrap(
        &self,
        environment: &Environment,
        owner: &Owner,
        label: &str,
        plaintext: &[u8],
    ) -> String {
        let SealedEntry { nonce, ciphertext, .. } =
            self.seal(environment, owner, (label, Content::Sealed), plaintext);
        format!("{nonce}.{ciphertext}")
    }

    pub(crate) fn unwrap(
        &self,
        owner: &Owner,
        label: &str,
        text: &str,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (alias, content) = (label.to_owned(), Content::Sealed);
        let (nonce, ciphertext) = text.split_once('.').unwrap_or_default();
        let (nonce, ciphertext) = (nonce.to_owned(), ciphertext.to_owned());
        self.open(owner, &SealedEntry { alias, content, nonce, ciphertext })
    }

    /// One key for each owner: the partition of the vault that is the owner's.
    fn data_key(&self, owner: &Owner) -> LessSafeKey {
        self.0.key(&[b"data ", owner.to_string().as_bytes()])
    }
}

/// What a ciphertext belongs to; the lengths keep neighbours from flowing into each other.
fn binding(owner: &Owner, alias: &str, content: Content) -> Vec<u8> {
    let owner = owner.to_string();
    format!("{}:{owner}{}:{alias}{}", owner.len(), alias.len(), content.name()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(text: &str) -> Owner {
        text.parse().expect("legal")
    }

    fn sealed() -> (Sealer, SealedEntry) {
        let sealer = Sealer::new(&[7; MASTER_KEY_BYTES]);
        let entry =
            sealer.seal(&Environment::system(), &owner("p:a"), ("alias", Content::Secret), b"open sesame");
        (sealer, entry)
    }

    #[test]
    fn what_was_sealed_opens_and_looks_like_nothing() {
        let (sealer, entry) = sealed();
        assert_eq!(sealer.open(&owner("p:a"), &entry).expect("opens").as_slice(), b"open sesame");
        let stored = STANDARD_NO_PAD.decode(&entry.ciphertext).expect("base64");
        assert!(!stored.windows(4).any(|window| window == b"open"));
        let (_, again) = sealed();
        assert_ne!(again.nonce, entry.nonce);
    }

    #[test]
    fn an_entry_opens_only_where_it_belongs() {
        let (sealer, entry) = sealed();
        assert!(sealer.open(&owner("p:b"), &entry).is_err(), "another owner");
        assert!(sealer.open(&owner("t:a"), &entry).is_err(), "another kind of owner");
        let moved = SealedEntry { alias: "other".to_owned(), ..entry.clone() };
        assert!(sealer.open(&owner("p:a"), &moved).is_err(), "another alias");
        let recast = SealedEntry { content: Content::Key, ..entry.clone() };
        assert!(sealer.open(&owner("p:a"), &recast).is_err(), "another content");
        let damaged =
            SealedEntry { ciphertext: entry.ciphertext.replacen(|_: char| true, "", 4), ..entry.clone() };
        assert!(sealer.open(&owner("p:a"), &damaged).is_err(), "damaged");
        assert!(Sealer::new(&[8; MASTER_KEY_BYTES]).open(&owner("p:a"), &entry).is_err(), "another root key");
    }

    #[test]
    fn a_wrapped_text_opens_for_its_owner_under_its_label() {
        let sealer = Sealer::new(&[7; MASTER_KEY_BYTES]);
        let text = sealer.wrap(&Environment::system(), &owner("p:a"), "place", b"open sesame");
        assert!(!text.contains("open"));
        assert_eq!(sealer.unwrap(&owner("p:a"), "place", &text).expect("opens").as_slice(), b"open sesame");
        for (whose, label, text) in [
            ("p:b", "place", text.as_str()),
            ("p:a", "other", &text),
            ("p:a", "place", ""),
            ("p:a", "place", "a.b"),
        ] {
            assert!(sealer.unwrap(&owner(whose), label, text).is_err(), "{whose} {label} {text}");
        }
    }
}
