//! What a delivery must satisfy before a holder keeps anything of it (DCP 1.0 §6.5).

use heddle_clock::Timestamp;
use heddle_credentials::{Check, Format, ParsedCredential, check_issuer_binding, check_subject};
use heddle_did::{Did, DidDocument, Relationship};

use crate::{
    Cause, Refusal, Rules,
    token::SelfIssuedToken,
    trace::{Signer, Stop, Trace},
    wire::{CredentialContainer, CredentialMessage},
};

/// What the holder has asked for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer that was asked. Nobody else may deliver under this request.
    pub issuer: &'a Did,
    /// Types and formats that were asked for. `None` when deliveries from this issuer are accepted unasked.
    pub requested: Option<&'a [(String, Format)]>,
}

/// A delivery that may be kept.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its credentials, in the order of the message; none when it is a rejection.
    pub credentials: Vec<ParsedCredential>,
    /// Every check in order, those of the sender's self-issued token first.
    pub checks: Vec<Check>,
}

/// Judges a delivery: all of it, or nothing. The holder is the audience of `sender`.
///
/// A credential may be valid only later; one that has expired is refused. Its status is not checked here, for
/// it is when it is shown that it counts. A rejection brings no credentials, so only its sender is judged.
///
/// # Errors
/// The first check that fails, as a [`Refusal`] with [`Cause::Delivery`].
pub fn accept(
    message: &CredentialMessage,
    sender: &SelfIssuedToken,
    expected: &Expected<'_>,
    issuer_document: &DidDocument,
    (now, rules): (Timestamp, &Rules),
) -> Result<Accepted, Refusal> {
    let mut trace = Trace::after(sender.checks());
    let delivery = Delivery { sender, expected, document: issuer_document, now, rules };
    match delivery.credentials(&mut trace, message) {
        Ok(credentials) => Ok(Accepted { credentials, checks: trace.finish().0 }),
        Err(stop) => Err(trace.refuse(Cause::Delivery, stop)),
    }
}

struct Delivery<'a> {
    sender: &'a SelfIssuedToken,
    expected: &'a Expected<'a>,
    document: &'a DidDocument,
    now: Timestamp,
    rules: &'a Rules,
}

impl Delivery<'_> {
    fn credentials(
        &self,
        trace: &mut Trace,
        message: &CredentialMessage,
    ) -> Result<Vec<ParsedCredential>, Stop> {
        let (sender, issuer) = (self.sender.participant(), self.expected.issuer);
        let by_issuer = same(sender.as_str(), issuer.as_str(), "the sender");
        trace.check("delivery-sender", sender.as_str(), by_issuer)?;
        let document = same(self.document.id.as_str(), issuer.as_str(), "the subject of the DID document");
        trace.check("delivery-issuer-document", issuer.as_str(), document)?;
        let credentials = message.credentials.iter().enumerate();
        credentials.map(|(index, one)| self.credential(trace, &format!("credential {index}"), one)).collect()
    }

    fn credential(
        &self,
        trace: &mut Trace,
        place: &str,
        container: &CredentialContainer,
    ) -> Result<ParsedCredential, Stop> {
        let format = trace.check("delivery-format", place, Format::parse(&container.format))?;
        let parsed =
            trace.check("credential-readable", place, ParsedCredential::parse(&container.payload))?;
        let as_named = (parsed.format() == format)
            .then_some(())
            .ok_or("it is not of the format that its container names");
        trace.check("credential-format", place, as_named)?;
        let credential = parsed.credential();
        trace.check("credential-requested", place, self.requested(&parsed))?;
        let issuer = same(&credential.issuer, self.expected.issuer.as_str(), "its issuer");
        trace.check("credential-issuer", place, issuer)?;
        trace.adopt(place, check_issuer_binding(&parsed))?;
        let signer = Signer {
            key_check: "credential-key",
            signature_check: "credential-signature",
            document: self.document,
            relationship: Relationship::AssertionMethod,
        };
        trace.signature(place, parsed.token(), &signer, self.rules)?;
        trace.adopt(place, check_subject(credential, self.sender.audience().as_str()))?;
        let alive = match credential.valid_until {
            Some(until) if self.now >= until + self.rules.leeway => Err(format!("it expired at {until}")),
            _ => Ok(()),
        };
        trace.check("credential-validity", place, alive)?;
        Ok(parsed)
    }

    fn requested(&self, parsed: &ParsedCredential) -> Result<(), String> {
        let Some(requested) = self.expected.requested else { return Ok(()) };
        let fits = |(kind, format): &(String, Format)| {
            *format == parsed.format() && parsed.credential().is_of_type(kind)
        };
        if requested.iter().any(fits) {
            return Ok(());
        }
        let types = parsed.credential().types.join(", ");
        Err(format!(
            "no credential of the types {types} in the format {} was requested",
            parsed.format().alias()
        ))
    }
}

fn same(found: &str, expected: &str, what: &str) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is '{found}', not '{expected}'")) }
}
