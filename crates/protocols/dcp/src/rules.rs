//! What a dataspace profile may decide about verification.

use std::time::Duration;

use heddle_did::Strictness;

/// Settings of one dataspace profile. The default is what interoperates with the field and refuses the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whether a key must stand in the verification relationship that its use asks for, or only when the DID
    /// document has relationships at all.
    pub relationships: Strictness,
    /// How far the clocks of two parties may differ. Keep it below a minute: the conformance suite expects
    /// that a token which expired a minute ago is refused.
    pub leeway: Duration,
    /// Longest time between `iat` and `exp` of a token or presentation.
    pub lifetime_max: Duration,
    /// What a bad credential does to those beside it.
    pub bad_credential: BadCredential,
    /// What happens to a credential that names a schema.
    pub credential_schema: CredentialSchema,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            relationships: Strictness::LenientIfAbsent,
            leeway: Duration::from_secs(5),
            lifetime_max: Duration::from_secs(60 * 60),
            bad_credential: BadCredential::Dropped,
            credential_schema: CredentialSchema::Unchecked,
        }
    }
}

/// What a bad credential does to the good ones beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadCredential {
    /// It is left out and the check recorded; every requested scope must still be met by a good one.
    Dropped,
    /// It makes the whole presentation invalid, to the letter of DCP 1.0 §5.4.3.
    SinksPresentation,
}

/// What happens to a credential that has a `credentialSchema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialSchema {
    /// Its subject is taken as it is: the signature of a trusted issuer stands for its form.
    Unchecked,
    /// It is bad, because its form was not proved.
    Refused,
}
