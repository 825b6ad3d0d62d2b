//! Private keys in memory.

use std::fmt;

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use zeroize::Zeroizing;

use crate::{Algorithm, JoseError, Jwk};

/// A private key in memory, for ES256 or EdDSA. `Debug` shows the algorithm alone; the encoded key is wiped
/// when this is dropped.
pub struct SoftwareKey {
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SoftwareKey {
    /// A new key, with entropy of the operating system.
    ///
    /// # Errors
    /// [`JoseError::Algorithm`] for algorithms other than ES256 and EdDSA.
    pub fn generate(algorithm: Algorithm) -> Result<Self, JoseError> {
        let random = SystemRandom::new();
        let no_entropy = |_| JoseError::Key("the operating system gave no entropy");
        let document = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random),
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random),
            other => return Err(JoseError::Algorithm(other.name().to_owned())),
        };
        Self::from_pkcs8(document.map_err(no_entropy)?.as_ref())
    }

    /// A key from its PKCS #8 encoding (DER) with the public key inside, as [`SoftwareKey::to_pkcs8`] has it.
    ///
    /// # Errors
    /// [`JoseError::Key`] when it is no such key, or not on P-256 or Ed25519.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, JoseError> {
        let pkcs8 = Zeroizing::new(der.to_vec());
        let random = SystemRandom::new();
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random) {
            return Ok(Self { pair: Pair::P256(pair), pkcs8 });
        }
        let pair = Ed25519KeyPair::from_pkcs8(der)
            .map_err(|_| JoseError::Key("it is no PKCS #8 key for P-256 or Ed25519"))?;
        Ok(Self { pair: Pair::Ed25519(pair), pkcs8 })
    }

    /// The private key in PKCS #8 (DER). It is a secret: encrypt it before it leaves the process.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// The algorithm that this key signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::P256(_) => Algorithm::Es256,
            Pair::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// The public key, with an id.
    #[must_use]
    pub fn public_jwk(&self, kid: Option<&str>) -> Jwk {
        let key = match &self.pair {
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (fixed(&point[1..33]), fixed(&point[33..]));
                Jwk::p256(&x, &y)
            }
            Pair::Ed25519(pair) => Jwk::ed25519(fixed(pair.public_key().as_ref()))
                .expect("the public key of a pair is never of small order"),
        };
        match kid {
            Some(kid) => key.with_kid(kid),
            None => key,
        }
    }

    /// Signs a message: r‖s for ES256, the plain signature for EdDSA.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message);
                // Without entropy nothing may be signed; there is nothing to go on with.
                signature.expect("the operating system provides random bytes").as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

fn fixed(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("coordinates and public keys of these curves have 32 bytes")
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}
