//! The one place where signatures are checked. Constant choices: which algorithm goes with which key.

use ring::signature::{
    self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

use crate::{
    Algorithm, JoseError, Jwk,
    jwk::{Curve, Material},
};

/// Checks `signature` over `message`. The algorithm must fit the key's type, curve and own `alg` member.
///
/// ECDSA signatures are the fixed concatenation r‖s (RFC 7518 §3.4), never DER; r and s must be in range.
pub(crate) fn verify(key: &Jwk, alg: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
    let mismatch = JoseError::KeyMismatch { algorithm: alg, key: key.kind() };
    if key.alg().is_some_and(|own| own != alg) {
        return Err(mismatch);
    }
    match (key.material(), alg) {
        (Material::Ec { curve: Curve::P256, point }, Algorithm::Es256) => {
            plain(&signature::ECDSA_P256_SHA256_FIXED, point, message, signature)
        }
        (Material::Ec { curve: Curve::P384, point }, Algorithm::Es384) => {
            plain(&signature::ECDSA_P384_SHA384_FIXED, point, message, signature)
        }
        (Material::Ed25519 { public }, Algorithm::EdDsa) => {
            plain(&signature::ED25519, public, message, signature)
        }
        (Material::Rsa { n, e }, _) => {
            let parameters = rsa_parameters(alg).ok_or(mismatch)?;
            let key = RsaPublicKeyComponents { n, e };
            key.verify(parameters, message, signature).map_err(|_| JoseError::Signature)
        }
        _ => Err(mismatch),
    }
}

fn plain(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), JoseError> {
    UnparsedPublicKey::new(algorithm, key).verify(message, signature).map_err(|_| JoseError::Signature)
}

/// All need a modulus of 2048 to 8192 bits.
const fn rsa_parameters(alg: Algorithm) -> Option<&'static RsaParameters> {
    match alg {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
    }
}
