//! Encryption of entries: AES-256-GCM under a key of the owner, bound to owner, alias and content.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use heddle_clock::Environment;
use heddle_store::Aggregate;
use heddle_tenancy::Owner;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Prk, Salt},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{MASTER_KEY_BYTES, VaultError};

/// Separates the keys of this format from all others that may ever be derived from the same master key.
const SALT: &[u8] = b"heddle vault 1";
const CHECK_BYTES: usize = 32;

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

/// Tells whether a master key is the one that the entries were sealed with, and nothing else about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyCheck {
    id: String,
    value: String,
}

impl KeyCheck {
    pub(crate) const ID: &'static str = "master-key";
}

impl Aggregate for KeyCheck {
    const KIND: &'static str = "vault-key-check";

    fn id(&self) -> &str {
        &self.id
    }
}

/// The master key, ready to derive from.
pub(crate) struct Sealer(Prk);

impl Sealer {
    pub(crate) fn new(master: &[u8; MASTER_KEY_BYTES]) -> Self {
        Self(Salt::new(HKDF_SHA256, SALT).extract(master))
    }

    pub(crate) fn key_check(&self) -> KeyCheck {
        let mut value = [0; CHECK_BYTES];
        let info: [&[u8]; 1] = [b"check"];
        let output = self.0.expand(&info, HKDF_SHA256).expect("the length is that of the hash");
        output.fill(&mut value).expect("the length is that of the hash");
        KeyCheck { id: KeyCheck::ID.to_owned(), value: STANDARD_NO_PAD.encode(value) }
    }

    pub(crate) fn fits(&self, check: &KeyCheck) -> bool {
        self.key_check().value.as_bytes().ct_eq(check.value.as_bytes()).into()
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

    fn data_key(&self, owner: &Owner) -> LessSafeKey {
        let owner = owner.to_string();
        let info: [&[u8]; 2] = [b"data ", owner.as_bytes()];
        let output = self.0.expand(&info, &AES_256_GCM).expect("the length is that of a key");
        LessSafeKey::new(UnboundKey::from(output))
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
        assert!(
            Sealer::new(&[8; MASTER_KEY_BYTES]).open(&owner("p:a"), &entry).is_err(),
            "another master key"
        );
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

    #[test]
    fn the_check_value_tells_keys_apart() {
        let (sealer, _) = sealed();
        assert!(sealer.fits(&sealer.key_check()));
        assert!(!Sealer::new(&[8; MASTER_KEY_BYTES]).fits(&sealer.key_check()));
    }
}
