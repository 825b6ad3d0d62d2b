//! Master keys and the root key that they open.
//!
//! The root key is made at random with the first start and stays; the installation keeps it wrapped: once for each
//! master key that may open the vault, which is one, and two while one takes the other's place. So a rotation rewrites a
//! single row, and no server that runs notices it: it has the root key.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use heddle_clock::{Environment, Timestamp};
use heddle_store::Aggregate;
use ring::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{MASTER_KEY_BYTES, derivation::Derivation};

/// Separates what is derived from a master key from what is derived from a root key.
const SALT: &[u8] = b"heddle master key 1";
/// Bytes of a fingerprint that are shown: enough to tell a handful of keys apart, of no use to anybody else.
const ID_BYTES: usize = 12;

/// Key material that is wiped when it is dropped.
pub(crate) type KeyBytes = Zeroizing<[u8; MASTER_KEY_BYTES]>;

/// A master key, ready to wrap with.
pub(crate) struct MasterKey(Derivation);

impl MasterKey {
    pub(crate) fn new(bytes: &[u8; MASTER_KEY_BYTES]) -> Self {
        Self(Derivation::new(SALT, bytes))
    }

    /// Its name, which may be shown.
    pub(crate) fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0.fingerprint(&[b"id"])[..ID_BYTES])
    }

    fn wrap(&self, environment: &Environment, root: &KeyBytes) -> Wrap {
        let nonce: [u8; NONCE_LEN] = environment.random();
        let key = self.id();
        let mut bytes = Vec::with_capacity(MASTER_KEY_BYTES + AES_256_GCM.tag_len());
        bytes.extend_from_slice(root.as_slice());
        self.0
            .key(&[b"wrap"])
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(key.as_bytes()),
                &mut bytes,
            )
            .expect("a key is far below the limit of the cipher");
        let (nonce, root) = (STANDARD_NO_PAD.encode(nonce), STANDARD_NO_PAD.encode(&bytes));
        Wrap { key, since: environment.now(), nonce, root }
    }

    /// The root key, if this master key is among those that open the ring, and the ring is whole.
    pub(crate) fn open(&self, ring: &Keyring) -> Option<KeyBytes> {
        let wrap = ring.wraps.iter().find(|wrap| wrap.key == self.id())?;
        let nonce = STANDARD_NO_PAD.decode(&wrap.nonce).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
        let mut bytes = Zeroizing::new(STANDARD_NO_PAD.decode(&wrap.root).ok()?);
        let root =
            self.0.key(&[b"wrap"]).open_in_place(nonce, Aad::from(wrap.key.as_bytes()), &mut bytes).ok()?;
        Some(Zeroizing::new((&*root).try_into().ok()?))
    }
}

/// The root key under one master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Wrap {
    key: String,
    since: Timestamp,
    nonce: String,
    root: String,
}

/// The root key under every master key that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keyring {
    id: String,
    wraps: Vec<Wrap>,
}

impl Aggregate for Keyring {
    const KIND: &'static str = "vault-keyring";

    fn id(&self) -> &str {
        &self.id
    }
}

impl Keyring {
    pub(crate) const ID: &'static str = "keyring";

    /// A ring with a new root key.
    pub(crate) fn found(environment: &Environment, master: &MasterKey) -> Self {
        let root = Zeroizing::new(environment.random());
        Self { id: Self::ID.to_owned(), wraps: vec![master.wrap(environment, &root)] }
    }

    pub(crate) fn is_opened_by(&self, master: &MasterKey) -> bool {
        self.wraps.iter().any(|wrap| wrap.key == master.id())
    }

    /// With one more master key.
    pub(crate) fn with(&self, environment: &Environment, root: &KeyBytes, master: &MasterKey) -> Self {
        let mut next = self.clone();
        next.wraps.push(master.wrap(environment, root));
        next
    }

    /// With one master key alone; it must be among them.
    pub(crate) fn only(&self, master: &MasterKey) -> Self {
        let id = master.id();
        let wraps = self.wraps.iter().filter(|wrap| wrap.key == id).cloned().collect();
        Self { id: self.id.clone(), wraps }
    }

    /// The master keys that open it, oldest first, with the time since when.
    pub(crate) fn keys(&self) -> Vec<(String, Timestamp)> {
        self.wraps.iter().map(|wrap| (wrap.key.clone(), wrap.since)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey::new(&[byte; MASTER_KEY_BYTES])
    }

    #[test]
    fn every_master_key_of_the_ring_opens_the_same_root_key_and_no_other_does() {
        let environment = Environment::system();
        let ring = Keyring::found(&environment, &master(1));
        let root = master(1).open(&ring).expect("opens");
        let both = ring.with(&environment, &root, &master(2));
        assert_eq!(master(2).open(&both).expect("opens"), root);
        assert_eq!(master(1).open(&both).expect("opens"), root);
        assert_eq!(both.keys().len(), 2);
        let next = both.only(&master(2));
        assert_eq!(master(2).open(&next).expect("opens"), root);
        assert!(master(1).open(&next).is_none() && master(3).open(&both).is_none());
        assert!(!next.is_opened_by(&master(1)) && next.is_opened_by(&master(2)));
    }

    #[test]
    fn a_ring_that_was_tampered_with_does_not_open() {
        let environment = Environment::system();
        let ring = Keyring::found(&environment, &master(1));
        let mut renamed = ring.clone();
        renamed.wraps[0].key = master(2).id();
        assert!(master(2).open(&renamed).is_none(), "a wrap belongs to its key");
        let mut damaged = ring.clone();
        damaged.wraps[0].root = damaged.wraps[0].root.replacen(|_: char| true, "", 4);
        assert!(master(1).open(&damaged).is_none());
        let text = serde_json::to_string(&ring).expect("serialises");
        let root = master(1).open(&ring).expect("opens");
        assert!(!text.contains(&STANDARD_NO_PAD.encode(root.as_slice())));
    }
}
