//! The list of checks that a verification leaves behind.

use std::{collections::BTreeSet, fmt};

use heddle_credentials::{Check, Verdict};
use heddle_did::{Did, DidDocument, Relationship, VerificationMethod};
use heddle_jose::{Token, VerifiedToken};

use crate::{Cause, Refusal, Rules};

/// A check has failed and is recorded: stop with what it was about.
#[derive(Debug)]
pub(crate) struct Stop {
    check: &'static str,
    detail: String,
}

/// Collects checks in the order in which they are made.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    checks: Vec<Check>,
    stale: BTreeSet<Did>,
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
                let detail = error.to_string();
                (Verdict::Failed(detail.clone()), Err(Stop { check: name, detail }))
            }
        };
        self.checks.push(Check { name, subject: subject.to_owned(), verdict });
        result
    }

    /// Records a check that the credentials crate has made.
    pub(crate) fn adopt(&mut self, check: Check) -> Result<(), Stop> {
        let result = match &check.verdict {
            Verdict::Passed => Ok(()),
            Verdict::Failed(detail) => Err(Stop { check: check.name, detail: detail.clone() }),
        };
        self.checks.push(check);
        result
    }

    /// Two checks: the document names the key for this use, and the key fits the signature. `names` are theirs.
    pub(crate) fn signature(
        &mut self,
        names: (&'static str, &'static str),
        subject: &str,
        token: &Token,
        signer: (&DidDocument, Relationship),
        rules: &Rules,
    ) -> Result<VerifiedToken, Stop> {
        let (document, relationship) = signer;
        let found = key(token, document, relationship, rules);
        let outcome = self.check(names.0, subject, found).and_then(|method| {
            let verified = method.jwk().map_err(|error| error.to_string()).and_then(|key| {
                token.verify(&key).map_err(|error| error.to_string())
            });
            self.check(names.1, subject, verified)
        });
        if outcome.is_err() {
            self.stale.insert(document.id.clone());
        }
        outcome
    }

    /// Ends in a refusal.
    pub(crate) fn refuse(self, cause: Cause, stop: Stop) -> Refusal {
        Refusal::new(cause, stop.check, stop.detail, self.checks, self.stale)
    }

    /// Ends well: the checks, and the DIDs whose documents may be out of date.
    pub(crate) fn finish(self) -> (Vec<Check>, BTreeSet<Did>) {
        (self.checks, self.stale)
    }
}

/// The verification method that a token names, usable for `relationship`, controlled by the document's subject.
fn key<'a>(
    token: &Token,
    document: &'a DidDocument,
    relationship: Relationship,
    rules: &Rules,
) -> Result<&'a VerificationMethod, String> {
    let method = document
        .verification_method_for(token.header().kid.as_deref(), relationship, rules.relationships)
        .map_err(|error| error.to_string())?;
    if method.controller != document.id.as_str() {
        return Err(format!("the key '{}' is controlled by '{}', not by '{}'", method.id, method.controller, document.id));
    }
    Ok(method)
}
