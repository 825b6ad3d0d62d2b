//! What must hold of a credential: one named check each, in success and in refusal, so that whoever is
//! refused can be told why (DCP 1.0 §5.4.3).

use std::{borrow::Borrow, collections::BTreeMap, time::Duration};

use heddle_clock::Timestamp;
use heddle_did::DidUrl;
use heddle_jose::Jwk;
use serde::Serialize;

use crate::{
    DataModel, ParsedCredential, StatusEntry, StatusListCredential, StatusPurpose, VerifiableCredential,
};

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, such as `credential-validity`. Stable: people search for it.
    pub name: &'static str,
    /// Of what: the credential's id, a DID, a status list's URL.
    pub subject: String,
    /// The outcome.
    pub verdict: Verdict,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not hold, or cannot be known to; the reason, as a sentence for a person.
    Failed(String),
}

impl Check {
    /// A check from the result of something that explains itself.
    pub fn of<E: ToString>(name: &'static str, subject: impl Into<String>, result: Result<(), E>) -> Self {
        let verdict = result.map_or_else(|error| Verdict::Failed(error.to_string()), |()| Verdict::Passed);
        Self { name, subject: subject.into(), verdict }
    }

    /// Whether it holds.
    #[must_use]
    pub const fn passed(&self) -> bool {
        matches!(self.verdict, Verdict::Passed)
    }
}

/// `credential-signature`: the signature is by `key`.
#[must_use]
pub fn check_signature(parsed: &ParsedCredential, key: &Jwk) -> Check {
    let result = parsed.token().verify(key).map(drop);
    Check::of("credential-signature", parsed.credential().label(), result)
}

/// `credential-form`: it has the base context of its data model first and the type `VerifiableCredential`;
/// for VC 1.1, the claims `sub` and `jti` repeat the subject's and the credential's id. Deployed issuers fall
/// short of this, so it is a check for strict dataspace profiles only.
#[must_use]
pub fn check_form(parsed: &ParsedCredential) -> Check {
    let credential = parsed.credential();
    let result = form_of(parsed, credential);
    Check::of("credential-form", credential.label(), result)
}

fn form_of(parsed: &ParsedCredential, credential: &VerifiableCredential) -> Result<(), String> {
    let base = credential.data_model.context();
    if credential.contexts.first().is_none_or(|first| first != base) {
        return Err(format!("its first context must be '{base}'"));
    }
    if !credential.is_of_type("VerifiableCredential") {
        return Err("'VerifiableCredential' must be among its types".to_owned());
    }
    if credential.data_model == DataModel::V1 {
        if parsed.claim("sub").is_some_and(|sub| credential.subject_ids().any(|id| id != Some(sub))) {
            return Err("its claim 'sub' must be the id of its subject".to_owned());
        }
        if parsed.claim("jti").is_some_and(|jti| credential.id.as_deref() != Some(jti)) {
            return Err("its claim 'jti' must be its id".to_owned());
        }
    }
    Ok(())
}

/// `credential-validity`: `now` lies between the dates that the credential and its token name, give or take
/// `leeway`.
#[must_use]
pub fn check_validity(credential: &VerifiableCredential, now: Timestamp, leeway: Duration) -> Check {
    let result = within(credential.valid_from, credential.valid_until, now, leeway);
    Check::of("credential-validity", credential.label(), result)
}

fn within(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    now: Timestamp,
    leeway: Duration,
) -> Result<(), String> {
    match (from, until) {
        (Some(from), _) if from > now + leeway => Err(format!("it is not valid before {from}")),
        (_, Some(until)) if now >= until + leeway => Err(format!("it expired at {until}")),
        _ => Ok(()),
    }
}

/// `credential-subject`: every subject of the credential is the holder.
#[must_use]
pub fn check_subject(credential: &VerifiableCredential, holder: &str) -> Check {
    let holds = !credential.subjects.is_empty() && credential.subject_ids().all(|id| id == Some(holder));
    let result = holds.then_some(()).ok_or_else(|| format!("its subject is not the holder '{holder}'"));
    Check::of("credential-subject", credential.label(), result)
}

/// `credential-issuer-binding`: the key that the token names, and its `iss` claim, are the issuer's. Without
/// a `kid`, the caller finds the key by the issuer's DID, so only `iss` is compared.
#[must_use]
pub fn check_issuer_binding(parsed: &ParsedCredential) -> Check {
    let credential = parsed.credential();
    let result = issuer_binding_of(parsed, &credential.issuer);
    Check::of("credential-issuer-binding", credential.label(), result)
}

fn issuer_binding_of(parsed: &ParsedCredential, issuer: &str) -> Result<(), String> {
    if let Some(kid) = parsed.kid().filter(|kid| !kid.starts_with('#')) {
        let url = DidUrl::parse(kid).map_err(|_| "the key id of its token is no DID URL".to_owned())?;
        if url.did.as_str() != issuer {
            return Err(format!("it is signed with a key of '{}', not of its issuer '{issuer}'", url.did));
        }
    }
    match parsed.token().claims_unverified().get("iss") {
        None if parsed.data_model() == DataModel::V2 => Ok(()),
        Some(iss) if iss.as_str() == Some(issuer) => Ok(()),
        _ => Err(format!("its claim 'iss' is not its issuer '{issuer}'")),
    }
}

/// `credential-status`, one for each status entry: the bit in the list is clear. `lists` holds the status
/// lists that could be fetched and verified, by the URL in the entry; a list that is missing fails the check.
///
/// The list must be by the credential's issuer, valid now, and for the entry's purpose.
#[must_use]
pub fn check_status(
    credential: &VerifiableCredential,
    lists: &BTreeMap<String, impl Borrow<StatusListCredential>>,
    now: Timestamp,
    leeway: Duration,
) -> Vec<Check> {
    let check = |entry: &StatusEntry| {
        let result =
            status_of(credential, entry, lists.get(&entry.list_url).map(Borrow::borrow), now, leeway);
        Check::of("credential-status", format!("{}#{}", entry.list_url, entry.index), result)
    };
    credential.status.iter().map(check).collect()
}

fn status_of(
    credential: &VerifiableCredential,
    entry: &StatusEntry,
    list: Option<&StatusListCredential>,
    now: Timestamp,
    leeway: Duration,
) -> Result<(), String> {
    let list = list.ok_or("its status list is not available, so it cannot be known to be good")?;
    if list.issuer() != credential.issuer {
        return Err(format!("its status list is by '{}', not by its issuer", list.issuer()));
    }
    within(list.valid_from(), list.valid_until(), now, leeway)
        .map_err(|why| format!("its status list: {why}"))?;
    if !list.purposes().contains(&entry.purpose) {
        return Err(format!("its status list is not for the purpose '{}'", entry.purpose.name()));
    }
    match list.list().get(entry.index) {
        Ok(false) => Ok(()),
        Ok(true) => Err(match entry.purpose {
            StatusPurpose::Revocation => "it is revoked".to_owned(),
            StatusPurpose::Suspension => "it is suspended".to_owned(),
        }),
        Err(error) => Err(error.to_string()),
    }
}
