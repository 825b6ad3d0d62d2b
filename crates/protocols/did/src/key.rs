//! The method `did:key` for P-256 and Ed25519: the DID is the key, and the document follows from it.

use heddle_jose::{JoseError, Jwk};

use crate::{Did, DidDocument, DidError, Relationship, base58, p256};

/// The multicodec prefixes (as varints) of the key types that are supported.
const ED25519: [u8; 2] = [0xed, 0x01];
const P256: [u8; 2] = [0x80, 0x24];

/// The document of a `did:key`: one verification method, which may be used for everything.
///
/// # Errors
/// [`DidError::Method`] for other methods, [`DidError::Malformed`] when the id is no key of a supported type.
pub fn document_of(did: &Did) -> Result<DidDocument, DidError> {
    if did.method() != "key" {
        return Err(DidError::Method(did.method().to_owned()));
    }
    let multibase = did.method_specific_id();
    let jwk = from_multibase(multibase)
        .map_err(|_| DidError::Malformed("its id is no multibase-encoded key of P-256 or Ed25519"))?;
    Ok(DidDocument::new(did.clone()).with_key(multibase, jwk, &Relationship::ALL))
}

/// The key of a Multikey (`publicKeyMultibase`): base58btc over a multicodec prefix and the raw key.
pub(crate) fn from_multibase(text: &str) -> Result<Jwk, JoseError> {
    const MALFORMED: JoseError = JoseError::Key("it is no base58btc multibase text of a known key type");
    let bytes = text.strip_prefix('z').and_then(base58::decode).ok_or(MALFORMED)?;
    if let Some(public) = bytes.strip_prefix(&ED25519) {
        return Jwk::ed25519(public.try_into().map_err(|_| MALFORMED)?);
    }
    let point = bytes.strip_prefix(&P256).ok_or(MALFORMED)?;
    let (x, y) = p256::decompress(point).ok_or(JoseError::Key("its point is not on P-256"))?;
    Ok(Jwk::p256(&x, &y))
}
