//! The verifier's judgement of a presentation response (DCP 1.0 §5.4.3), as a function of its evidence.
//!
//! It fetches nothing. [`required`] says what is still to be fetched, [`verify`] judges what is there, and
//! both walk the same path, so nothing is fetched that would not be looked at:
//!
//! 1. Call [`required`]. Fetch each DID document and status list that it names, put the result into
//!    [`Gathered`] (also when it is a failure), and repeat until it names none. At most three rounds: the
//!    holder's document (which the caller has from the self-issued token), those of the issuers, and the
//!    status lists of those credentials whose signatures hold.
//! 2. Call [`verify`].
//!
//! Documents are asked for the holder and for trusted issuers alone, and status lists only when a trusted
//! issuer has signed the address: a stranger cannot point us at a third party.
//!
//! One bad credential does not sink the good ones beside it: it is left out and the check recorded. But every
//! requested scope must be met by at least one good credential, but those that the verifier calls optional.
//! [`crate::BadCredential`] is the setting.
//!
//! Deliberately absent: embedded proofs (JSON-LD), JSON schemas, the replay store.

mod credential;
mod evidence;
mod run;
mod status;
mod verified;

pub use evidence::{Evidence, Gathered, Needs, TrustedIssuer};
pub use verified::{TrustedCredential, VerifiedPresentation};

use crate::{
    Cause, Refusal, Scope,
    trace::{Stop, Trace},
};
use run::Run;

/// Most credentials in one response, over all its presentations.
pub const CREDENTIALS_MAX: usize = 100;
/// Most different status lists that the credentials of one response may name.
pub const STATUS_LISTS_MAX: usize = 32;

/// What is still to be fetched. Empty when [`verify`] has all that it can use.
#[must_use]
pub fn required(evidence: &Evidence<'_>) -> Needs {
    Run::of(evidence).needs
}

/// Judges a response.
///
/// # Errors
/// A [`Refusal`] with [`Cause::Presentation`] when no presentation holds, or [`Cause::Credentials`] when a
/// requested scope is not met. What was not gathered counts as missing, and what is missing refuses.
pub fn verify(evidence: &Evidence<'_>) -> Result<VerifiedPresentation, Refusal> {
    let mut run = Run::of(evidence);
    match judge(&mut run, evidence) {
        Ok(()) => Ok(verified::seal(run, evidence)),
        Err((cause, stop)) => Err(run.trace.refuse(cause, stop)),
    }
}

fn judge(run: &mut Run<'_>, evidence: &Evidence<'_>) -> Result<(), (Cause, Stop)> {
    let some = match (evidence.response.presentation.len(), run.presentations_held) {
        (0, _) => Err(nothing_of(evidence)),
        (presented, 0) => Err(match &run.first_stop {
            Some(stop) => format!("none of {presented} presentations holds; the first: {stop}"),
            None => format!("none of {presented} presentations holds"),
        }),
        _ => Ok(()),
    };
    let presentation = |stop| (Cause::Presentation, stop);
    run.trace.check("presentation-present", "presentation response", some).map_err(presentation)?;
    let asked = if evidence.scopes.is_empty() && evidence.optional_scopes.is_empty() {
        Err("nothing was asked for, so nothing is proved")
    } else {
        Ok(())
    };
    run.trace.check("scope-asked", "presentation query", asked).map_err(presentation)?;

    // Every scope is judged, so that the trace names all that are missing; the first decides.
    let required = unmet(run, evidence.scopes);
    let optional = unmet(run, evidence.optional_scopes);
    let nothing =
        evidence.scopes.is_empty() && !evidence.optional_scopes.iter().any(|scope| run.meets(scope).is_ok());
    let decisive = if nothing { optional } else { required };
    decisive.into_iter().next().map_or(Ok(()), |stop| Err((Cause::Credentials, stop)))
}

/// What of these scopes is not met.
fn unmet(run: &mut Run<'_>, scopes: &[Scope]) -> Vec<Stop> {
    let met = |scope: &Scope| {
        let met = run.meets(scope);
        run.trace.check("scope-met", &scope.to_string(), met).err()
    };
    let different = scopes.iter().enumerate().filter(|(index, scope)| !scopes[..*index].contains(scope));
    different.map(|(_, scope)| scope).filter_map(met).collect()
}

/// What an empty response lacks: all that was asked for.
fn nothing_of(evidence: &Evidence<'_>) -> String {
    let asked = evidence.scopes.iter().chain(evidence.optional_scopes);
    let asked: Vec<String> = asked.map(Scope::to_string).collect();
    match asked.as_slice() {
        [] => "the response holds no presentation".to_owned(),
        asked => format!("the response holds no presentation of what was asked for: {}", asked.join(", ")),
    }
}

/// A trace that begins with the checks of the self-issued token.
fn trace_of(evidence: &Evidence<'_>) -> Trace {
    Trace::after(evidence.self_issued.checks())
}
