//! The proof that a judgement ended well.

use std::{collections::BTreeSet, fmt};

use heddle_credentials::{Check, VerifiableCredential};
use heddle_did::Did;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Evidence, run::Run};
use crate::token::ReplayKey;

/// A credential that a trusted issuer has signed, that is about the holder, valid, and not withdrawn.
#[derive(Clone, PartialEq)]
pub struct TrustedCredential(VerifiableCredential);

/// A peer that has shown what was asked of it. Only [`super::verify`] makes one.
#[derive(Clone)]
pub struct VerifiedPresentation {
    holder: Did,
    audience: Did,
    credentials: Vec<TrustedCredential>,
    replay_keys: Vec<ReplayKey>,
    checks: Vec<Check>,
    stale: BTreeSet<Did>,
}

pub(super) fn seal(run: Run<'_>, evidence: &Evidence<'_>) -> VerifiedPresentation {
    let (checks, stale) = run.trace.finish();
    VerifiedPresentation {
        holder: evidence.self_issued.participant().clone(),
        audience: evidence.self_issued.audience().clone(),
        credentials: run.good,
        replay_keys: run.replay_keys,
        checks,
        stale,
    }
}

impl VerifiedPresentation {
    /// Who proved itself.
    #[must_use]
    pub const fn holder(&self) -> &Did {
        &self.holder
    }

    /// To whom: the verifier.
    #[must_use]
    pub const fn audience(&self) -> &Did {
        &self.audience
    }

    /// The good credentials, in the order in which they were presented. Each requested scope is met by one of
    /// them; the peer may have shown more than was asked for.
    #[must_use]
    pub fn credentials(&self) -> &[TrustedCredential] {
        &self.credentials
    }

    /// The credentials as policies see them: `ctx.agent.claims.vc`.
    #[must_use]
    pub fn claims(&self) -> Vec<Value> {
        self.credentials.iter().map(TrustedCredential::claims).collect()
    }

    /// What must not be seen a second time: the presentations that name an id. Record them by one atomic
    /// insert.
    #[must_use]
    pub fn replay_keys(&self) -> &[ReplayKey] {
        &self.replay_keys
    }

    /// Every check in order, those of the self-issued token first, those of credentials that were left out
    /// included.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// As [`crate::Refusal::stale_documents`]: a credential may have been left out because a cached document
    /// was out of date.
    #[must_use]
    pub const fn stale_documents(&self) -> &BTreeSet<Did> {
        &self.stale
    }
}

/// Presentations carry personal claims: they do not reach logs.
impl fmt::Debug for VerifiedPresentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedPresentation")
            .field("holder", &self.holder)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TrustedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A credential in the shape that policy expressions expect, the same for every data model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    #[serde(rename = "@context")]
    context: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type")]
    types: &'a [String],
    credential_subject: &'a [Map<String, Value>],
    issuer: Issuer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuance_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<String>,
}

#[derive(Serialize)]
struct Issuer<'a> {
    id: &'a str,
}

impl TrustedCredential {
    pub(super) const fn new(credential: VerifiableCredential) -> Self {
        Self(credential)
    }

    /// What it says.
    #[must_use]
    pub const fn credential(&self) -> &VerifiableCredential {
        &self.0
    }

    /// It as policies see it: `@context[]`, `id`, `type[]`, `credentialSubject[]`, `issuer{id}`,
    /// `issuanceDate`, `expirationDate` (absent when it does not expire). Dates are RFC 3339 in UTC.
    #[must_use]
    pub fn claims(&self) -> Value {
        let claims = Claims {
            context: &self.0.contexts,
            id: self.0.id.as_deref(),
            types: &self.0.types,
            credential_subject: &self.0.subjects,
            issuer: Issuer { id: &self.0.issuer },
            issuance_date: self.0.valid_from.map(|time| time.to_string()),
            expiration_date: self.0.valid_until.map(|time| time.to_string()),
        };
        serde_json::to_value(claims).expect("texts, lists and JSON values always serialise")
    }
}
