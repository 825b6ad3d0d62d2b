//! Which key of a document a token may be checked with (DCP 1.0 §4.3.3 and §5.4.3).

use super::{DidDocument, Relationship, VerificationMethod};
use crate::{DidError, DidUrl};

/// How strictly relationships are demanded. A setting of the dataspace profile: some deployed participants
/// publish documents without any relationships.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// The verification method must be listed under the relationship and name its controller.
    #[default]
    Strict,
    /// As strict, but a document in which *no* relationship lists anything, and a verification method that
    /// names *no* controller, are taken as permissive.
    LenientIfAbsent,
}

impl DidDocument {
    /// The verification method that a token with this `kid` may be checked with.
    ///
    /// With a `kid` (`did#fragment` of the subject, or `#fragment`), it is the one with that id. Without, the
    /// document must have exactly one verification method. Either way it must be listed under
    /// `relationship`, subject to `strictness`, and controlled by the subject.
    ///
    /// # Errors
    /// [`DidError::ForeignKey`], [`DidError::NoMethod`], [`DidError::Ambiguous`], [`DidError::Relationship`],
    /// [`DidError::Controller`]: every doubt refuses.
    pub fn verification_method_for(
        &self,
        kid: Option<&str>,
        relationship: Relationship,
        strictness: Strictness,
    ) -> Result<&VerificationMethod, DidError> {
        let method = match kid {
            Some(kid) => {
                let id = self.absolute(kid)?;
                self.only(|method| method.id == id)?
            }
            None => self.only(|_| true)?,
        };
        self.check_relationship(method, relationship, strictness)?;
        match &method.controller {
            Some(controller) if *controller == self.id.as_str() => Ok(method),
            None if strictness == Strictness::LenientIfAbsent => Ok(method),
            _ => Err(DidError::Controller(method.id.clone())),
        }
    }

    /// The `kid` as an absolute DID URL of the subject.
    fn absolute(&self, kid: &str) -> Result<String, DidError> {
        let absolute = if kid.starts_with('#') { format!("{}{kid}", self.id) } else { kid.to_owned() };
        match DidUrl::parse(&absolute) {
            Ok(url) if url.did == self.id => Ok(absolute),
            _ => Err(DidError::ForeignKey(self.id.to_string())),
        }
    }

    fn only(&self, wanted: impl Fn(&VerificationMethod) -> bool) -> Result<&VerificationMethod, DidError> {
        let mut matching = self.verification_method.iter().filter(|method| wanted(method));
        let found = matching.next().ok_or_else(|| DidError::NoMethod(self.id.to_string()))?;
        match matching.next() {
            None => Ok(found),
            Some(_) => Err(DidError::Ambiguous(self.id.to_string())),
        }
    }

    fn check_relationship(
        &self,
        method: &VerificationMethod,
        relationship: Relationship,
        strictness: Strictness,
    ) -> Result<(), DidError> {
        if self.listed(relationship).contains(&method.id) {
            return Ok(());
        }
        let silent = Relationship::ALL.iter().all(|relationship| self.listed(*relationship).is_empty());
        if silent && strictness == Strictness::LenientIfAbsent {
            return Ok(());
        }
        Err(DidError::Relationship { method: method.id.clone(), relationship: relationship.name() })
    }
}
