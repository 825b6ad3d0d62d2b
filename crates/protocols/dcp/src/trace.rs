//! The list of checks that a verification leaves behind.

use std::{collections::BTreeSet, fmt};

use heddle_credentials::{Check, Verdict};
use heddle_did::{Did, DidDocument, Relationship};
use heddle_jose::{Token, VerifiedToken};

use crate::{Cause, Refusal, Rules};

/// Longest subject or detail of a check, in characters. Both may quote what a peer sent.
const TEXT_CHARS_MAX: usize = 400;

/// A check has failed and is recorded: stop with what it was about.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) check: &'static str,
    pub(crate) detail: String,
}

/// Collects checks in the order in which they are made.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    checks: Vec<Check>,
    stale: BTreeSet<Did>,
}

/// What a signature is checked with: the names of the two checks, whose document, and for which use of a key.
pub(crate) struct Signer<'a> {
    pub(crate) key_check: &'static str,
    pub(crate) signature_check: &'static str,
    pub(crate) document: &'a DidDocument,
    pub(crate) relationship: Relationship,
}

impl Trace {
    /// Continues the list of an earlier verification.
    pub(crate) fn after(checks: &[Check]) -> Self {
        Self { checks: checks.to_vec(), stale: BTreeSet::new() }
    }

    /// Records one check and gives back what it found.
    pub(crate) fn check<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        subject: &str,
        outcome: Result<T, E>,
    ) -> Result<T, Stop> {
        let (verdict, result) = match outcome {
            Ok(found) => (Verdict::Passed, Ok(found)),
            Err(error) => {
                let detail = bounded(&error.to_string());
                (Verdict::Failed(detail.clone()), Err(Stop { check: name, detail }))
            }
        };
        self.checks.push(Check { name, subject: bounded(subject), verdict });
        result
    }

    /// Records a check that was made elsewhere, under a subject of ours.
    pub(crate) fn adopt(&mut self, subject: &str, check: Check) -> Result<(), Stop> {
        let outcome = match check.verdict {
            Verdict::Passed => Ok(()),
            Verdict::Failed(detail) => Err(detail),
        };
        self.check(check.name, subject, outcome)
    }

    /// Two checks: the document names the key for this use, and the signature is by it.
    pub(crate) fn signature(
        &mut self,
        subject: &str,
        token: &Token,
        signer: &Signer<'_>,
        rules: &Rules,
    ) -> Result<VerifiedToken, Stop> {
        let kid = token.header().kid.as_deref();
        let key = signer
            .document
            .verification_method_for(kid, signer.relationship, rules.relationships)
            .and_then(heddle_did::VerificationMethod::jwk);
        let outcome = self
            .check(signer.key_check, subject, key)
            .and_then(|key| self.check(signer.signature_check, subject, token.verify(&key)));
        if outcome.is_err() {
            self.stale.insert(signer.document.id.clone());
        }
        outcome
    }

    /// Ends in a refusal.
    pub(crate) fn refuse(self, cause: Cause, stop: Stop) -> Refusal {
        Refusal::new(cause, stop, self.checks, self.stale)
    }

    /// Ends well: the checks, and the DIDs whose documents may be out of date.
    pub(crate) fn finish(self) -> (Vec<Check>, BTreeSet<Did>) {
        (self.checks, self.stale)
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}
