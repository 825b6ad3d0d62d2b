//! One walk over a response: each presentation, each credential in it.

use std::collections::BTreeSet;

use heddle_credentials::{DataModel, ParsedCredential, ParsedPresentation, VerifiableCredential, vp11};
use heddle_did::{Did, DidDocument, Relationship};

use super::{CREDENTIALS_MAX, Evidence, Needs, TrustedCredential, status::ReadLists, trace_of};
use crate::{
    BadCredential, Scope, claims,
    token::{ReplayKey, self_issued},
    trace::{Signer, Stop, Trace},
    wire::Presentation,
};

/// What a walk finds.
pub(super) struct Run<'a> {
    pub(super) evidence: Evidence<'a>,
    pub(super) trace: Trace,
    pub(super) needs: Needs,
    pub(super) good: Vec<TrustedCredential>,
    pub(super) replay_keys: Vec<ReplayKey>,
    /// How many presentations hold in themselves, whatever their credentials are worth.
    pub(super) presentations_held: usize,
    /// Why the first presentation does not hold.
    pub(super) first_stop: Option<String>,
    /// Credentials that could be read and were left out, with the reason.
    dropped: Vec<(VerifiableCredential, String)>,
    /// Addresses of all status lists that were asked for.
    pub(super) status_lists: BTreeSet<String>,
    pub(super) read_lists: ReadLists,
    credentials_seen: usize,
}

impl<'a> Run<'a> {
    /// Walks over the response.
    pub(super) fn of(evidence: &Evidence<'a>) -> Self {
        let mut run = Self {
            evidence: *evidence,
            trace: trace_of(evidence),
            needs: Needs::default(),
            good: Vec::new(),
            replay_keys: Vec::new(),
            presentations_held: 0,
            first_stop: None,
            dropped: Vec::new(),
            status_lists: BTreeSet::new(),
            read_lists: ReadLists::default(),
            credentials_seen: 0,
        };
        for (index, presentation) in evidence.response.presentation.iter().enumerate() {
            if let Err(stop) = run.presentation(&format!("presentation {index}"), presentation) {
                run.first_stop.get_or_insert(format!("{}: {}", stop.check, stop.detail));
            }
        }
        run
    }

    fn presentation(&mut self, subject: &str, presentation: &Presentation) -> Result<(), Stop> {
        let parsed = match presentation {
            Presentation::Jwt(text) => vp11::parse(text).map_err(|error| error.to_string()),
            Presentation::Object(_) => {
                Err("only presentations in the form of a JWT are supported".to_owned())
            }
        };
        let parsed = self.trace.check("presentation-readable", subject, parsed)?;
        let replay_key = self.envelope(subject, &parsed)?;
        self.credentials_seen += parsed.credentials().len();
        let few = self.credentials_seen <= CREDENTIALS_MAX;
        let few = few
            .then_some(())
            .ok_or_else(|| format!("the response holds more than {CREDENTIALS_MAX} credentials"));
        self.trace.check("credential-count", subject, few)?;
        self.presentations_held += 1;
        self.replay_keys.extend(replay_key);

        let before = self.good.len();
        let mut failed = None;
        for (index, text) in parsed.credentials().iter().enumerate() {
            let place = format!("{subject}, credential {index}");
            if let Err(stop) = self.credential(&place, text) {
                failed.get_or_insert(format!("{place}: {}", stop.detail));
            }
        }
        if self.evidence.rules.bad_credential == BadCredential::SinksPresentation {
            let outcome = failed.map_or(Ok(()), Err);
            let result = self.trace.check("presentation-whole", subject, outcome);
            if result.is_err() {
                let sunk = "another credential in its presentation is not good".to_owned();
                let good = self.good.drain(before..).map(|good| (good.credential().clone(), sunk.clone()));
                self.dropped.extend(good);
            }
            return result;
        }
        Ok(())
    }

    /// The presentation itself, without its credentials.
    fn envelope(&mut self, subject: &str, parsed: &ParsedPresentation) -> Result<Option<ReplayKey>, Stop> {
        let Evidence { self_issued, now, rules, .. } = self.evidence;
        let holder = self_issued.participant();
        let set = parsed.token().claims_unverified();
        self.trace.check("presentation-holder", subject, holder_of(parsed, holder))?;
        self.trace.check("presentation-kid", subject, self_issued::kid_of(parsed.token(), holder))?;
        self.trace.check("presentation-audience", subject, claims::audience(set, self_issued.audience()))?;
        let expires = self.trace.check("presentation-time", subject, claims::times(set, now, rules))?;
        let jti = if set.contains_key("jti") { claims::jti(set).map(Some) } else { Ok(None) };
        let jti = self.trace.check("presentation-id", subject, jti)?;

        let document = self.document(holder);
        let document = self.trace.check("presentation-holder-document", subject, document)?;
        let signer = Signer {
            key_check: "presentation-key",
            signature_check: "presentation-signature",
            document,
            relationship: Relationship::Authentication,
        };
        self.trace.signature(subject, parsed.token(), &signer, rules)?;
        Ok(jti.map(|jti| ReplayKey {
            audience: self_issued.audience().clone(),
            issuer: holder.clone(),
            jti: jti.to_owned(),
            until: expires + rules.leeway,
        }))
    }

    fn credential(&mut self, place: &str, text: &str) -> Result<(), Stop> {
        let parsed = ParsedCredential::parse(text);
        let parsed = self.trace.check("credential-readable", place, parsed)?;
        let place = &format!("{place} ({})", parsed.credential().label());
        let homogeneous = match parsed.data_model() {
            DataModel::V1 => Ok(()),
            DataModel::V2 => Err("a credential of VC 2.0 cannot stand in a presentation of VC 1.1"),
        };
        let outcome = self
            .trace
            .check("credential-homogeneity", place, homogeneous)
            .and_then(|()| self.trustworthy(place, &parsed));
        match outcome {
            Ok(()) => self.good.push(TrustedCredential::new(parsed.credential().clone())),
            Err(stop) => {
                self.dropped.push((parsed.credential().clone(), stop.detail.clone()));
                return Err(stop);
            }
        }
        Ok(())
    }

    /// The document of a DID, or the wish to have it.
    pub(super) fn document(&mut self, did: &Did) -> Result<&'a DidDocument, String> {
        match self.evidence.gathered.documents.get(did) {
            Some(Ok(document)) if document.id == *did => Ok(document),
            Some(Ok(document)) => {
                Err(format!("the DID document is that of '{}', not of '{did}'", document.id))
            }
            Some(Err(reason)) => Err(format!("the DID '{did}' does not resolve: {reason}")),
            None => {
                self.needs.dids.insert(did.clone());
                Err(format!("the DID document of '{did}' is not there"))
            }
        }
    }

    /// Whether a good credential meets this scope; if not, why the one that would was left out.
    pub(super) fn meets(&self, scope: &Scope) -> Result<(), String> {
        if self.good.iter().any(|credential| scope.selects(credential.credential())) {
            return Ok(());
        }
        match self.dropped.iter().find(|(credential, _)| scope.selects(credential)) {
            Some((credential, why)) => {
                Err(format!("the credential '{}' is not good: {why}", credential.label()))
            }
            None => Err(format!("no credential for the scope '{scope}' was presented")),
        }
    }
}

fn holder_of(parsed: &ParsedPresentation, expected: &Did) -> Result<(), String> {
    if parsed.holder() != expected.as_str() {
        return Err(format!(
            "it is by '{}', not by '{expected}', whose token came with the request",
            parsed.holder()
        ));
    }
    match claims::optional_text(parsed.token().claims_unverified(), "sub")? {
        Some(subject) if subject != expected.as_str() => {
            Err(format!("its claim 'sub' is '{subject}', not its holder"))
        }
        _ => Ok(()),
    }
}
