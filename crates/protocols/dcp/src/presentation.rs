//! The holder's side of the presentation protocol: which credentials answer a query (DCP 1.0 §5.4).
//!
//! A credential is shown when a requested scope *and* a granted scope select it, and it is good now. What is
//! not granted is left out silently, as the specification asks; why is recorded for the holder.
//!
//! Deliberately absent: presentation definitions, signing (`heddle_credentials::vp11` makes the draft).

use heddle_clock::Timestamp;
use heddle_credentials::{Check, Format, ParsedCredential, check_validity};

use crate::{Rules, Scope};

/// A credential that a holder has.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The credential.
    pub credential: &'a ParsedCredential,
    /// Whether it is known to be revoked or suspended.
    pub withdrawn: bool,
}

/// What is shown. One presentation per group: a presentation holds credentials of one format only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection<'a> {
    /// The credentials that are shown, by format; no group is empty.
    pub groups: Vec<Group<'a>>,
    /// For each credential that was asked for: whether it is shown (`presentable`), or why not.
    pub checks: Vec<Check>,
}

/// Credentials for one presentation.
#[derive(Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// Their format.
    pub format: Format,
    /// Their compact forms.
    pub credentials: Vec<&'a str>,
}

/// Credentials carry personal claims: their contents do not reach logs.
impl std::fmt::Debug for Group<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Group({:?}, {} credentials)", self.format, self.credentials.len())
    }
}

/// Chooses the credentials that are both requested and granted, and good now.
#[must_use]
pub fn select<'a>(
    held: &[Held<'a>],
    requested: &[Scope],
    granted: &[Scope],
    now: Timestamp,
    rules: &Rules,
) -> Selection<'a> {
    let mut selection = Selection { groups: Vec::new(), checks: Vec::new() };
    for one in held {
        let credential = one.credential.credential();
        if !requested.iter().any(|scope| scope.selects(credential)) {
            continue;
        }
        let outcome = presentable(one, granted, now, rules);
        if outcome.is_ok() {
            put(&mut selection.groups, one.credential);
        }
        selection.checks.push(Check::of("presentable", credential.label(), outcome));
    }
    selection
}

fn presentable(held: &Held<'_>, granted: &[Scope], now: Timestamp, rules: &Rules) -> Result<(), String> {
    let credential = held.credential.credential();
    if !granted.iter().any(|scope| scope.selects(credential)) {
        return Err("the access token does not grant it".to_owned());
    }
    if held.withdrawn {
        return Err("it is revoked or suspended".to_owned());
    }
    match check_validity(credential, now, rules.leeway).verdict {
        heddle_credentials::Verdict::Passed => Ok(()),
        heddle_credentials::Verdict::Failed(why) => Err(why),
    }
}

fn put<'a>(groups: &mut Vec<Group<'a>>, credential: &'a ParsedCredential) {
    let text = credential.token().as_str();
    match groups.iter_mut().find(|group| group.format == credential.format()) {
        Some(group) => group.credentials.push(text),
        None => groups.push(Group { format: credential.format(), credentials: vec![text] }),
    }
}
