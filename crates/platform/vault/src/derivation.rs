//! Keys from a key: HKDF-SHA256 (RFC 5869).

use ring::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use zeroize::Zeroizing;

use crate::MASTER_KEY_BYTES;

/// Input keying material with its salt. Kept as bytes that are wiped when it is dropped; what is derived lives no longer
/// than the call that needs it, because a key that is ready for use cannot be wiped.
pub(crate) struct Derivation {
    salt: &'static [u8],
    key: Zeroizing<[u8; MASTER_KEY_BYTES]>,
}

impl Derivation {
    pub(crate) fn new(salt: &'static [u8], key: &[u8; MASTER_KEY_BYTES]) -> Self {
        Self { salt, key: Zeroizing::new(*key) }
    }

    /// A key for AES-256-GCM.
    pub(crate) fn key(&self, info: &[&[u8]]) -> LessSafeKey {
        let prk = Salt::new(HKDF_SHA256, self.salt).extract(self.key.as_slice());
        let output = prk.expand(info, &AES_256_GCM).expect("the length is that of a key");
        LessSafeKey::new(UnboundKey::from(output))
    }

    /// A value that tells the key from others and tells nothing else about it.
    pub(crate) fn fingerprint(&self, info: &[&[u8]]) -> [u8; 32] {
        let prk = Salt::new(HKDF_SHA256, self.salt).extract(self.key.as_slice());
        let output = prk.expand(info, HKDF_SHA256).expect("the length is that of the hash");
        let mut value = [0; 32];
        output.fill(&mut value).expect("the length is that of the hash");
        value
    }
}
