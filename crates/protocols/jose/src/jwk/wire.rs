//! The members of a key on the wire, and the way from them to a [`Jwk`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Curve, Jwk, Material, RSA_EXPONENT_BYTES_MAX, RSA_MODULUS_BYTES, coordinates, unsupported};
use crate::{Algorithm, JoseError, encoding};

/// The members that only private and symmetric keys have (RFC 7518 §6).
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The points of small order of edwards25519 and their non-canonical twins, sign bit cleared.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    edge(0x01, 0x00, 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    edge(0xec, 0xff, 0x7f),
    edge(0xed, 0xff, 0x7f),
    edge(0xee, 0xff, 0x7f),
];

const fn edge(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

pub(super) fn is_of_small_order(public: &[u8; 32]) -> bool {
    let mut unsigned = *public;
    unsigned[31] &= 0x7f;
    SMALL_ORDER.contains(&unsigned)
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireJwk {
    kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
}

impl WireJwk {
    pub(super) fn read(value: &Value) -> Result<Self, JoseError> {
        let object = value.as_object().ok_or(JoseError::Key("it must be a JSON object"))?;
        if let Some(secret) = SECRET_MEMBERS.into_iter().find(|member| object.contains_key(*member)) {
            return Err(JoseError::KeySecret(secret));
        }
        Self::deserialize(value).map_err(|_| JoseError::Key("'kty' is missing, or a member is no string"))
    }

    pub(super) fn into_jwk(self) -> Result<Jwk, JoseError> {
        let material = self.material()?;
        let alg = self.alg.as_deref().map(Algorithm::parse).transpose()?;
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(JoseError::Key("its 'use' is not 'sig', and keys here check signatures"));
        }
        Ok(Jwk { material, kid: self.kid, alg, usage: self.usage })
    }

    fn material(&self) -> Result<Material, JoseError> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => self.ec(Curve::P256),
            ("EC", Some("P-384")) => self.ec(Curve::P384),
            ("OKP", Some("Ed25519")) => {
                let public: [u8; 32] = member(self.x.as_deref())?
                    .try_into()
                    .map_err(|_| JoseError::Key("'x' must have 32 bytes on this curve"))?;
                Jwk::ed25519(public).map(|key| key.material)
            }
            ("RSA", _) => self.rsa(),
            (kind, curve) => Err(unsupported(kind, curve)),
        }
    }

    fn ec(&self, curve: Curve) -> Result<Material, JoseError> {
        let (x, y) = (member(self.x.as_deref())?, member(self.y.as_deref())?);
        if x.len() != curve.coordinate_bytes() || y.len() != curve.coordinate_bytes() {
            return Err(JoseError::Key("'x' and 'y' must have the full length of a coordinate of the curve"));
        }
        Ok(Material::Ec { curve, point: [&[4][..], &x, &y].concat() })
    }

    fn rsa(&self) -> Result<Material, JoseError> {
        let (n, e) = (member(self.n.as_deref())?, member(self.e.as_deref())?);
        if !RSA_MODULUS_BYTES.contains(&n.len()) || n[0] == 0 {
            return Err(JoseError::Key("'n' must have 2048 to 8192 bits and no leading zeros"));
        }
        if e.is_empty() || e.len() > RSA_EXPONENT_BYTES_MAX || e[0] == 0 {
            return Err(JoseError::Key("'e' must have 1 to 4 bytes and no leading zeros"));
        }
        Ok(Material::Rsa { n, e })
    }
}

fn member(text: Option<&str>) -> Result<Vec<u8>, JoseError> {
    let text = text.ok_or(JoseError::Key("a member that its type needs is missing"))?;
    encoding::decode(text).ok_or(JoseError::Key("a member is not canonical base64url without padding"))
}

impl From<&Jwk> for WireJwk {
    fn from(key: &Jwk) -> Self {
        let (kty, crv) = match &key.material {
            Material::Ec { curve, .. } => ("EC", Some(curve.name().to_owned())),
            Material::Ed25519 { .. } => ("OKP", Some("Ed25519".to_owned())),
            Material::Rsa { .. } => ("RSA", None),
        };
        let mut wire = Self {
            kty: kty.to_owned(),
            crv,
            x: None,
            y: None,
            n: None,
            e: None,
            kid: key.kid.clone(),
            alg: key.alg.map(|alg| alg.name().to_owned()),
            usage: key.usage.clone(),
        };
        match &key.material {
            Material::Ec { point, .. } => {
                let (x, y) = coordinates(point);
                (wire.x, wire.y) = (Some(x), Some(y));
            }
            Material::Ed25519 { public } => wire.x = Some(encoding::encode(public)),
            Material::Rsa { n, e } => {
                (wire.n, wire.e) = (Some(encoding::encode(n)), Some(encoding::encode(e)));
            }
        }
        wire
    }
}
