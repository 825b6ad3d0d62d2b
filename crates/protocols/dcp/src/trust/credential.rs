//! What makes one credential good.

use heddle_credentials::{ParsedCredential, check_issuer_binding, check_subject, check_validity};
use heddle_did::{Did, Relationship};

use super::run::Run;
use crate::{
    CredentialSchema, claims,
    trace::{Signer, Stop},
};

/// The `sub` claim, when there is one, says the same as the credential (VC 1.1 §6.3.1).
fn subject_claim(parsed: &ParsedCredential, holder: &str) -> Result<(), String> {
    match claims::optional_text(parsed.token().claims_unverified(), "sub")? {
        Some(subject) if subject != holder => {
            Err(format!("its claim 'sub' is '{subject}', not the holder '{holder}'"))
        }
        _ => Ok(()),
    }
}

/// The type that every credential has and that means nothing by itself.
const BASE_TYPE: &str = "VerifiableCredential";

impl Run<'_> {
    /// The checks of one credential, in order; the first that fails ends them. Whether the issuer is trusted
    /// comes before anything of it is fetched.
    pub(super) fn trustworthy(&mut self, place: &str, parsed: &ParsedCredential) -> Result<(), Stop> {
        let credential = parsed.credential();
        let evidence = self.evidence;
        let holder = evidence.self_issued.participant().as_str();
        self.trace.adopt(place, check_issuer_binding(parsed))?;
        let trusted = self.trusted(&credential.issuer, &credential.types);
        let issuer = self.trace.check("credential-issuer-trusted", place, trusted)?;

        let document = self.document(&issuer);
        let document = self.trace.check("credential-issuer-document", place, document)?;
        let signer = Signer {
            key_check: "credential-key",
            signature_check: "credential-signature",
            document,
            relationship: Relationship::AssertionMethod,
        };
        self.trace.signature(place, parsed.token(), &signer, evidence.rules)?;

        self.trace.adopt(place, check_subject(credential, holder))?;
        self.trace.check("credential-subject-claim", place, subject_claim(parsed, holder))?;
        self.trace.adopt(place, check_validity(credential, evidence.now, evidence.rules.leeway))?;
        if evidence.rules.credential_schema == CredentialSchema::Refused {
            let schema = match credential.schemas.first() {
                None => Ok(()),
                Some(schema) => Err(format!("its form cannot be proved by the schema '{}'", schema.id)),
            };
            self.trace.check("credential-schema", place, schema)?;
        }
        self.status(place, credential, document)
    }

    /// The issuer as a DID, trusted for *every* type that the credential claims: else a policy that asks for
    /// another type would be satisfied by the word of somebody who may not give it.
    fn trusted(&self, issuer: &str, types: &[String]) -> Result<Did, String> {
        let entries: Vec<_> =
            self.evidence.trusted_issuers.iter().filter(|entry| entry.did.as_str() == issuer).collect();
        let Some(first) = entries.first() else {
            return Err(format!("'{issuer}' is not an issuer that this dataspace profile trusts"));
        };
        let mut claimed = types.iter().filter(|claimed| *claimed != BASE_TYPE).peekable();
        if claimed.peek().is_none() {
            return Err(format!("it has no type besides '{BASE_TYPE}'"));
        }
        match claimed.find(|claimed| !entries.iter().any(|entry| entry.supports(claimed))) {
            Some(claimed) => {
                Err(format!("'{issuer}' is not trusted for credentials of the type '{claimed}'"))
            }
            None => Ok(first.did.clone()),
        }
    }
}
