//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2) and their thumbprints (RFC 7638).

use std::fmt;

use ring::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::{Algorithm, JoseError, encoding, error::excerpt};

mod wire;

use wire::WireJwk;

/// The RSA moduli that are accepted, in bytes: 2048 to 8192 bits.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// Longest RSA exponent that is accepted, in bytes.
const RSA_EXPONENT_BYTES_MAX: usize = 4;
/// Most keys in a set; more are refused.
const KEYS_MAX: usize = 256;

/// A public key: EC on P-256 or P-384, Ed25519, or RSA with 2048 to 8192 bits.
///
/// Members of a key that have no meaning here (`key_ops`, `x5c` …) are ignored and not written again.
#[derive(Clone, PartialEq, Eq)]
pub struct Jwk {
    material: Material,
    kid: Option<String>,
    alg: Option<Algorithm>,
    usage: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// The point, uncompressed (0x04‖x‖y).
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519 {
        public: [u8; 32],
    },
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Curve {
    const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// What kind of key a [`Jwk`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// EC on P-256.
    P256,
    /// EC on P-384.
    P384,
    /// Ed25519.
    Ed25519,
    /// RSA.
    Rsa,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "EC P-256",
            Self::P384 => "EC P-384",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
        })
    }
}

impl Jwk {
    /// A P-256 key from its affine coordinates, big-endian. Whether they lie on the curve is found out when
    /// a signature is checked.
    #[must_use]
    pub fn p256(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self::plain(Material::Ec { curve: Curve::P256, point: [&[4][..], x, y].concat() })
    }

    /// An Ed25519 key from its encoded point.
    ///
    /// # Errors
    /// [`JoseError::Key`] for the points of small order, under which anybody can sign anything.
    pub fn ed25519(public: [u8; 32]) -> Result<Self, JoseError> {
        if wire::is_of_small_order(&public) {
            return Err(JoseError::Key("its point is of small order"));
        }
        Ok(Self::plain(Material::Ed25519 { public }))
    }

    const fn plain(material: Material) -> Self {
        Self { material, kid: None, alg: None, usage: None }
    }

    /// Reads a key from a JSON value.
    ///
    /// # Errors
    /// [`JoseError::KeySecret`] for private and symmetric keys, [`JoseError::KeyUnsupported`] for other types
    /// and curves, [`JoseError::Key`] for malformed members.
    pub fn from_value(value: &Value) -> Result<Self, JoseError> {
        WireJwk::read(value)?.into_jwk()
    }

    /// The same key with this `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// The same key, bound to one algorithm.
    #[must_use]
    pub const fn with_alg(mut self, alg: Algorithm) -> Self {
        self.alg = Some(alg);
        self
    }

    /// The key's id, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The only algorithm that the key may be used with, if it names one.
    #[must_use]
    pub const fn alg(&self) -> Option<Algorithm> {
        self.alg
    }

    /// The `use` member: `sig` or absent for a key that checks signatures.
    #[must_use]
    pub fn usage(&self) -> Option<&str> {
        self.usage.as_deref()
    }

    /// The kind of key.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        match &self.material {
            Material::Ec { curve: Curve::P256, .. } => KeyKind::P256,
            Material::Ec { curve: Curve::P384, .. } => KeyKind::P384,
            Material::Ed25519 { .. } => KeyKind::Ed25519,
            Material::Rsa { .. } => KeyKind::Rsa,
        }
    }

    /// The thumbprint of RFC 7638 with SHA-256, base64url: the same for equal keys, whatever their `kid`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // The members in lexicographic order, without white space; none needs escaping.
        let canonical = match &self.material {
            Material::Ec { curve, point } => {
                let (x, y) = coordinates(point);
                format!(r#"{{"crv":"{}","kty":"EC","x":"{x}","y":"{y}"}}"#, curve.name())
            }
            Material::Ed25519 { public } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encoding::encode(public))
            }
            Material::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encoding::encode(e), encoding::encode(n))
            }
        };
        encoding::encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
    }

    pub(crate) const fn material(&self) -> &Material {
        &self.material
    }
}

fn coordinates(point: &[u8]) -> (String, String) {
    let (x, y) = point[1..].split_at((point.len() - 1) / 2);
    (encoding::encode(x), encoding::encode(y))
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk").field("kind", &self.kind()).field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WireJwk::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A set of public keys (RFC 7517 §5). Keys of unsupported types are skipped when a set is read; a secret
/// in the set refuses the whole set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// The key with this id. When the set holds exactly one key, a token without an id means that one.
    #[must_use]
    pub fn find(&self, kid: Option<&str>) -> Option<&Jwk> {
        match kid {
            Some(kid) => self.keys.iter().find(|key| key.kid() == Some(kid)),
            None => self.keys.first().filter(|_| self.keys.len() == 1),
        }
    }
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct WireSet {
            keys: Vec<Value>,
        }
        let set = WireSet::deserialize(deserializer)?;
        if set.keys.len() > KEYS_MAX {
            return Err(de::Error::custom(format_args!("a key set has at most {KEYS_MAX} keys")));
        }
        let mut keys = Vec::with_capacity(set.keys.len());
        for value in &set.keys {
            match Jwk::from_value(value) {
                Ok(key) => keys.push(key),
                Err(secret @ JoseError::KeySecret(_)) => return Err(de::Error::custom(secret)),
                Err(_) => {}
            }
        }
        Ok(Self { keys })
    }
}

fn unsupported(kind: &str, curve: Option<&str>) -> JoseError {
    JoseError::KeyUnsupported(match curve {
        Some(curve) => format!("{} {}", excerpt(kind), excerpt(curve)),
        None => excerpt(kind),
    })
}
