//! What a judgement is made from.

use std::collections::{BTreeMap, BTreeSet};

use heddle_clock::Timestamp;
use heddle_did::{Did, DidDocument};
use serde::{Deserialize, Serialize};

use crate::{Rules, Scope, token::SelfIssuedToken, wire::PresentationResponseMessage};

/// An issuer that a dataspace profile trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedIssuer {
    /// Its DID.
    pub did: Did,
    /// The credential types that it is trusted for; `*` stands for all. None when empty.
    pub supported_types: Vec<String>,
}

impl TrustedIssuer {
    /// Whether it is trusted for this type.
    #[must_use]
    pub fn supports(&self, credential_type: &str) -> bool {
        self.supported_types.iter().any(|supported| supported == "*" || supported == credential_type)
    }
}

/// What was fetched. A failure is kept as its reason: it is evidence too, and it ends the asking.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// DID documents, as the resolver read them.
    pub documents: BTreeMap<Did, Result<DidDocument, String>>,
    /// Status list credentials in compact form, by their address.
    pub status_lists: BTreeMap<String, Result<String, String>>,
}

/// What is still to be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// DIDs to resolve: the holder, and trusted issuers.
    pub dids: BTreeSet<Did>,
    /// Addresses of status lists that trusted issuers have signed, at most [`super::STATUS_LISTS_MAX`].
    pub status_lists: BTreeSet<String>,
}

impl Needs {
    /// Whether nothing is to be fetched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dids.is_empty() && self.status_lists.is_empty()
    }
}

/// Everything that a judgement depends on.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The verified token of the peer. Its participant must be the holder; its audience, the verifier, must
    /// be that of the presentations.
    pub self_issued: &'a SelfIssuedToken,
    /// What the peer's credential service answered.
    pub response: &'a PresentationResponseMessage,
    /// The scopes that were asked for. Each must be met.
    pub scopes: &'a [Scope],
    /// The scopes that were asked for beside them. What they bring counts; one that is not met refuses nothing, unless
    /// nothing else was asked for and none is met.
    pub optional_scopes: &'a [Scope],
    /// The issuers that the dataspace profile trusts.
    pub trusted_issuers: &'a [TrustedIssuer],
    /// What was fetched.
    pub gathered: &'a Gathered,
    /// The time of the judgement.
    pub now: Timestamp,
    /// The settings of the dataspace profile.
    pub rules: &'a Rules,
}
