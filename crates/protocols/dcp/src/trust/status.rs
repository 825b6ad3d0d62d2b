//! Whether a credential is revoked or suspended: every doubt counts as yes.

use std::{collections::BTreeMap, sync::Arc};

use heddle_credentials::{
    StatusListCredential, VerifiableCredential, check_status, status::parse_status_credential,
};
use heddle_did::{Did, DidDocument, Relationship, Strictness};

use super::{STATUS_LISTS_MAX, run::Run};
use crate::trace::Stop;

/// The status lists that a walk has read. A list is unpacked once, however many entries name it: it may be large, and the
/// peer chooses how many credentials it shows.
#[derive(Default)]
pub(super) struct ReadLists(BTreeMap<(String, Did), Result<Arc<StatusListCredential>, String>>);

impl ReadLists {
    /// The list `text` at `url`, which must be signed by the issuer that `document` is of.
    fn read(
        &mut self,
        (url, text): (&str, &str),
        document: &DidDocument,
        strictness: Strictness,
    ) -> Result<Arc<StatusListCredential>, String> {
        let read = || signed_by(text, document, strictness).map(Arc::new);
        self.0.entry((url.to_owned(), document.id.clone())).or_insert_with(read).clone()
    }
}

fn signed_by(
    text: &str,
    document: &DidDocument,
    strictness: Strictness,
) -> Result<StatusListCredential, String> {
    let parsed = parse_status_credential(text).map_err(|error| error.to_string())?;
    let issuer = &parsed.parsed().credential().issuer;
    if issuer != document.id.as_str() {
        return Err(format!("it is by '{issuer}', not by the credential's issuer '{}'", document.id));
    }
    let kid = parsed.parsed().kid();
    let method = document.verification_method_for(kid, Relationship::AssertionMethod, strictness);
    let key = method.and_then(heddle_did::VerificationMethod::jwk).map_err(|error| error.to_string())?;
    parsed.verify(&key).map_err(|error| error.to_string())
}

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
    fn list(&mut self, url: &str, document: &DidDocument) -> Result<Arc<StatusListCredential>, String> {
        self.status_lists.insert(url.to_owned());
        if self.status_lists.len() > STATUS_LISTS_MAX {
            return Err(format!("the response names more than {STATUS_LISTS_MAX} status lists"));
        }
        match self.evidence.gathered.status_lists.get(url) {
            Some(Ok(text)) => self.read_lists.read((url, text), document, self.evidence.rules.relationships),
            Some(Err(reason)) => Err(format!("it could not be fetched: {reason}")),
            None => {
                self.needs.status_lists.insert(url.to_owned());
                Err("it is not there".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use heddle_clock::Timestamp;
    use heddle_credentials::{
        StatusKind, StatusPurpose,
        status::{StatusList, StatusListDraft, status_credential_unsigned},
    };
    use heddle_jose::{Algorithm, SoftwareKey};

    use super::*;

    const URL: &str = "https://issuer.example/status/1";

    fn document(name: &str, key: &SoftwareKey) -> DidDocument {
        let did = Did::parse(&format!("did:web:{name}.example")).expect("a DID");
        DidDocument::new(did).with_key("key-1", key.public_jwk(None), &Relationship::ALL)
    }

    #[test]
    fn a_list_is_read_once_for_each_issuer_that_it_is_held_against() {
        let key = SoftwareKey::generate(Algorithm::Es256).expect("a key");
        let (issuer, other) = (document("issuer", &key), document("other", &key));
        let issued_at = Timestamp::from_seconds(1_800_000_000);
        let draft = StatusListDraft {
            url: URL.to_owned(),
            issuer: issuer.id.to_string(),
            kind: StatusKind::Bitstring,
            purpose: StatusPurpose::Revocation,
            issued_at,
            valid_until: issued_at + Duration::from_secs(3600),
        };
        let list = StatusList::new(0).expect("a list");
        let kid = issuer.id.url("key-1");
        let token = status_credential_unsigned(&draft, &list, &kid, Algorithm::Es256).expect("a credential");
        let text = token.sign(&key).expect("signed");
        let mut lists = ReadLists::default();
        let first = lists.read((URL, &text), &issuer, Strictness::Strict).expect("it is signed");
        // What is not looked at again can be anything.
        let again = lists.read((URL, "other text"), &issuer, Strictness::Strict).expect("it is known");
        assert!(Arc::ptr_eq(&first, &again));
        for _ in 0..2 {
            let refused = lists.read((URL, &text), &other, Strictness::Strict).expect_err("another issuer");
            assert!(refused.contains("not by the credential's issuer"), "{refused}");
        }
    }
}
