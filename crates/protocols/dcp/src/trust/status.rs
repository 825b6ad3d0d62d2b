//! Whether a credential is revoked or suspended: every doubt counts as yes.

use std::collections::BTreeMap;

use heddle_credentials::{
    StatusListCredential, VerifiableCredential, check_status, status::parse_status_credential,
};
use heddle_did::{DidDocument, Relationship};

use super::{STATUS_LISTS_MAX, run::Run};
use crate::trace::Stop;

impl Run<'_> {
    /// Checks every status entry. `document` is that of the credential's issuer, who must have signed the
    /// lists.
    pub(super) fn status(
        &mut self,
        place: &str,
        credential: &VerifiableCredential,
        document: &DidDocument,
    ) -> Result<(), Stop> {
        // All lists are asked for before the first one that is missing ends the checks.
        let found: Vec<_> =
            credential.status.iter().map(|entry| (entry, self.list(&entry.list_url, document))).collect();
        let mut lists = BTreeMap::new();
        for (entry, list) in found {
            let list = self.trace.check("status-list", &format!("{place}, {}", entry.list_url), list)?;
            lists.insert(entry.list_url.clone(), list);
        }
        for check in check_status(credential, &lists, self.evidence.now, self.evidence.rules.leeway) {
            let subject = format!("{place}, {}", check.subject);
            self.trace.adopt(&subject, check)?;
        }
        Ok(())
    }

    /// A status list that the issuer has signed, or the wish to have it.
    fn list(&mut self, url: &str, document: &DidDocument) -> Result<StatusListCredential, String> {
        self.status_lists.insert(url.to_owned());
        if self.status_lists.len() > STATUS_LISTS_MAX {
            return Err(format!("the response names more than {STATUS_LISTS_MAX} status lists"));
        }
        let text = match self.evidence.gathered.status_lists.get(url) {
            Some(Ok(text)) => text,
            Some(Err(reason)) => return Err(format!("it could not be fetched: {reason}")),
            None => {
                self.needs.status_lists.insert(url.to_owned());
                return Err("it is not there".to_owned());
            }
        };
        let parsed = parse_status_credential(text).map_err(|error| error.to_string())?;
        let issuer = &parsed.parsed().credential().issuer;
        if issuer != document.id.as_str() {
            return Err(format!("it is by '{issuer}', not by the credential's issuer '{}'", document.id));
        }
        let method = document.verification_method_for(
            parsed.parsed().kid(),
            Relationship::AssertionMethod,
            self.evidence.rules.relationships,
        );
        let key = method.and_then(heddle_did::VerificationMethod::jwk).map_err(|error| error.to_string())?;
        parsed.verify(&key).map_err(|error| error.to_string())
    }
}
