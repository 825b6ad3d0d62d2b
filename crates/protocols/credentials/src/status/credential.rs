//! The credential that publishes a status list: signed by the issuer of the credentials that it is about.

use heddle_clock::Timestamp;
use heddle_jose::{Algorithm, Jwk, Unsigned};
use serde_json::Map;

use super::{LIST_BYTES_MAX, StatusKind, StatusList, StatusPurpose};
use crate::{
    CredentialDraft, CredentialError, ParsedCredential, VerifiableCredential, error::member, shape, vc11,
};

/// The largest status list credential that is read, in bytes: room for a list of [`LIST_BYTES_MAX`] that does
/// not compress, encoded twice.
pub const STATUS_CREDENTIAL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A status list to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusListDraft {
    /// Where it is published; also its id.
    pub url: String,
    /// The issuer's DID.
    pub issuer: String,
    /// The specification that it follows.
    pub kind: StatusKind,
    /// What a set bit means.
    pub purpose: StatusPurpose,
    /// From when it is valid.
    pub issued_at: Timestamp,
    /// Until when it may be used.
    pub valid_until: Timestamp,
}

/// The token of a status list credential (VC 1.1), to be signed with the issuer's key `kid` (a DID URL).
///
/// # Errors
/// [`CredentialError::Token`] when it cannot be written.
pub fn status_credential_unsigned(
    draft: &StatusListDraft,
    list: &StatusList,
    kid: &str,
    alg: Algorithm,
) -> Result<Unsigned, CredentialError> {
    let members = [
        ("type", draft.kind.list_type().to_owned()),
        ("statusPurpose", draft.purpose.name().to_owned()),
        ("encodedList", list.encode(draft.kind)),
    ];
    let claims: Map<_, _> =
        members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let credential = CredentialDraft {
        id: draft.url.clone(),
        contexts: vec![draft.kind.context().to_owned()],
        types: vec![draft.kind.credential_type().to_owned()],
        issuer: draft.issuer.clone(),
        subject: format!("{}#list", draft.url),
        claims,
        issued_at: draft.issued_at,
        valid_until: draft.valid_until,
        status: None,
        schema: None,
    };
    vc11::unsigned(&credential, kid, alg)
}

/// A status list credential that was read. Its signature is *not* checked.
#[derive(Debug, Clone)]
pub struct ParsedStatusCredential {
    parsed: ParsedCredential,
    purposes: Vec<StatusPurpose>,
    list: StatusList,
}

/// A status list whose signature was checked, with a key that the caller found in the document of its issuer.
#[derive(Debug, Clone)]
pub struct StatusListCredential {
    credential: VerifiableCredential,
    purposes: Vec<StatusPurpose>,
    list: StatusList,
}

/// Reads a status list credential of either data model and either kind; its signature is not checked. The
/// list has at most [`LIST_BYTES_MAX`] bytes.
///
/// # Errors
/// What the token, a member or the list is refused for.
pub fn parse_status_credential(text: &str) -> Result<ParsedStatusCredential, CredentialError> {
    const AT: &str = "/credentialSubject";
    let parsed = ParsedCredential::parse_bounded(text, STATUS_CREDENTIAL_BYTES_MAX)?;
    let [subject] = parsed.credential().subjects.as_slice() else {
        return Err(member(AT, "exactly one status list"));
    };
    let known = [StatusKind::StatusList2021, StatusKind::Bitstring].map(StatusKind::list_type);
    if !shape::texts(subject, "type", AT)?.iter().any(|kind| known.contains(&kind.as_str())) {
        return Err(member(format!("{AT}/type"), "BitstringStatusList or StatusList2021"));
    }
    let purposes = shape::texts(subject, "statusPurpose", AT)?;
    let list = StatusList::decode(shape::required(subject, "encodedList", AT)?, LIST_BYTES_MAX)?;
    let purposes = purposes.iter().filter_map(|name| StatusPurpose::parse(name)).collect();
    Ok(ParsedStatusCredential { parsed, purposes, list })
}

impl ParsedStatusCredential {
    /// The credential around the list: its issuer and `kid` say which key to check with, and
    /// [`crate::check::check_issuer_binding`] must hold of it.
    #[must_use]
    pub const fn parsed(&self) -> &ParsedCredential {
        &self.parsed
    }

    /// Checks that the list is bound to its issuer and signed by `key`.
    ///
    /// # Errors
    /// [`CredentialError::Token`] when the signature does not belong to the key,
    /// [`CredentialError::StatusList`] when the token names a key of somebody else than the issuer.
    pub fn verify(self, key: &Jwk) -> Result<StatusListCredential, CredentialError> {
        self.parsed.token().verify(key)?;
        if !crate::check::check_issuer_binding(&self.parsed).passed() {
            return Err(CredentialError::StatusList("it is not signed by the issuer that it names"));
        }
        let credential = self.parsed.credential().clone();
        Ok(StatusListCredential { credential, purposes: self.purposes, list: self.list })
    }
}

impl StatusListCredential {
    /// Who issued the list.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.credential.issuer
    }

    /// From when it is valid.
    #[must_use]
    pub const fn valid_from(&self) -> Option<Timestamp> {
        self.credential.valid_from
    }

    /// Until when it may be used.
    #[must_use]
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.credential.valid_until
    }

    /// What its bits mean; purposes that are not known are left out.
    #[must_use]
    pub fn purposes(&self) -> &[StatusPurpose] {
        &self.purposes
    }

    /// The bits.
    #[must_use]
    pub const fn list(&self) -> &StatusList {
        &self.list
    }
}
