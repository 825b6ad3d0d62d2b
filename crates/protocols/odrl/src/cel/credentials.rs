//! The functions over verifiable credentials that expressions have.
//!
//! A credential is a map as in the VC Data Model (1.1 or 2.0): `@context`, `id`, `type`, `issuer` (a text, or a map
//! with `id`), `credentialSubject` (a map or a list of maps), `issuanceDate`/`validFrom`, `expirationDate`/`validUntil`.
//!
//! | on a list of credentials | gives |
//! | --- | --- |
//! | `withType(t)`, `withContext(c)`, `withIssuer(i)`, `valid()` | those credentials of the list |
//! | `hasCredential(t)` | whether one has type `t` |
//! | `hasClaim(name)`, `hasClaim(name, value)` | whether a subject of one has the claim |
//! | `claim(name)` | the first value of the claim, or `null` |
//! | `claims(name)` | all values of the claim |
//!
//! On one credential: `hasType(t)`, `hasContext(c)`, `valid()`, `hasClaim(…)`, `claim(name)`.

use std::sync::Arc;

use cel::{
    Context, DeclarationError, ExecutionError, Value,
    extractors::{Arguments, This},
    objects::{KeyRef, Map},
};
use chrono::{DateTime, FixedOffset};

/// The names of these functions.
pub(super) const FUNCTIONS: [&str; 10] = [
    "claim",
    "claims",
    "hasClaim",
    "hasContext",
    "hasCredential",
    "hasType",
    "valid",
    "withContext",
    "withIssuer",
    "withType",
];

/// Adds the functions; `now` is what `valid()` compares with.
pub(super) fn add_functions(
    context: &mut Context<'static, 'static>,
    now: DateTime<FixedOffset>,
) -> Result<(), DeclarationError> {
    context.add_function("withType", |This(list): This<Value>, wanted: Arc<String>| {
        filtered("withType", &list, |vc| names(vc, "type", &wanted))
    })?;
    context.add_function("withContext", |This(list): This<Value>, wanted: Arc<String>| {
        filtered("withContext", &list, |vc| names(vc, "@context", &wanted))
    })?;
    context.add_function("withIssuer", |This(list): This<Value>, wanted: Arc<String>| {
        filtered("withIssuer", &list, |vc| issuer(vc).is_some_and(|issuer| **issuer == **wanted))
    })?;
    context.add_function("valid", move |This(subject): This<Value>| match &subject {
        Value::Map(vc) => Ok(Value::Bool(valid(vc, now))),
        _ => filtered("valid", &subject, |vc| valid(vc, now)),
    })?;
    context.add_function("hasCredential", |This(list): This<Value>, wanted: Arc<String>| {
        Ok::<_, ExecutionError>(
            credentials("hasCredential", &list)?.iter().any(|vc| names(vc, "type", &wanted)),
        )
    })?;
    context.add_function("hasType", |This(vc): This<Value>, wanted: Arc<String>| {
        Ok::<_, ExecutionError>(names(one("hasType", &vc)?, "type", &wanted))
    })?;
    context.add_function("hasContext", |This(vc): This<Value>, wanted: Arc<String>| {
        Ok::<_, ExecutionError>(names(one("hasContext", &vc)?, "@context", &wanted))
    })?;
    context.add_function("hasClaim", |This(subject): This<Value>, Arguments(args): Arguments| {
        let (name, wanted) = match args.as_slice() {
            [Value::String(name)] => (name, None),
            [Value::String(name), wanted] => (name, Some(wanted)),
            _ => return Err(mistaken("hasClaim", "a claim's name, and its value if that matters")),
        };
        let values = claims("hasClaim", &subject, name)?;
        Ok(values.iter().any(|value| wanted.is_none_or(|wanted| has_value(value, wanted))))
    })?;
    context.add_function("claim", |This(subject): This<Value>, name: Arc<String>| {
        Ok::<_, ExecutionError>(claims("claim", &subject, &name)?.into_iter().next().unwrap_or(Value::Null))
    })?;
    context.add_function("claims", |This(subject): This<Value>, name: Arc<String>| {
        claims("claims", &subject, &name).map(|values| Value::List(Arc::new(values)))
    })
}

fn mistaken(function: &str, wanted: &str) -> ExecutionError {
    ExecutionError::function_error(function, format!("it needs {wanted}"))
}

fn one<'a>(function: &str, value: &'a Value) -> Result<&'a Map, ExecutionError> {
    match value {
        Value::Map(vc) => Ok(vc),
        _ => Err(mistaken(function, "a credential")),
    }
}

/// The credentials of a list, or the one credential.
fn credentials<'a>(function: &str, value: &'a Value) -> Result<Vec<&'a Map>, ExecutionError> {
    match value {
        Value::List(list) => list.iter().map(|item| one(function, item)).collect(),
        _ => one(function, value).map(|vc| vec![vc]),
    }
}

fn filtered(function: &str, list: &Value, keep: impl Fn(&Map) -> bool) -> Result<Value, ExecutionError> {
    let kept = credentials(function, list)?.into_iter().filter(|vc| keep(vc));
    Ok(Value::List(Arc::new(kept.cloned().map(Value::Map).collect())))
}

fn member<'a>(map: &'a Map, name: &str) -> Option<&'a Value> {
    map.get(&KeyRef::String(name))
}

/// A member that JSON-LD may give as one value or as a list.
fn values(member: Option<&Value>) -> &[Value] {
    match member {
        Some(Value::List(items)) => items,
        Some(value) => std::slice::from_ref(value),
        None => &[],
    }
}

fn names(vc: &Map, list: &str, wanted: &str) -> bool {
    values(member(vc, list)).iter().any(|item| matches!(item, Value::String(name) if name.as_str() == wanted))
}

fn issuer(vc: &Map) -> Option<&Arc<String>> {
    match member(vc, "issuer")? {
        Value::String(id) => Some(id),
        Value::Map(issuer) => match member(issuer, "id")? {
            Value::String(id) => Some(id),
            _ => None,
        },
        _ => None,
    }
}

/// Within its period. A date that cannot be read makes a credential invalid; a missing one does not.
fn valid(vc: &Map, now: DateTime<FixedOffset>) -> bool {
    let holds = |name: &str, compare: fn(DateTime<FixedOffset>, DateTime<FixedOffset>) -> bool| match member(
        vc, name,
    ) {
        None | Some(Value::Null) => true,
        Some(Value::Timestamp(date)) => compare(*date, now),
        Some(Value::String(text)) => DateTime::parse_from_rfc3339(text).is_ok_and(|date| compare(date, now)),
        Some(_) => false,
    };
    let begun = |date, now| date <= now;
    let not_over = |date, now| date > now;
    holds("issuanceDate", begun)
        && holds("validFrom", begun)
        && holds("expirationDate", not_over)
        && holds("validUntil", not_over)
}

fn claims(function: &str, subject: &Value, name: &str) -> Result<Vec<Value>, ExecutionError> {
    let mut found = Vec::new();
    for vc in credentials(function, subject)? {
        for subject in values(member(vc, "credentialSubject")) {
            if let Value::Map(claims) = subject {
                found.extend(member(claims, name).cloned());
            }
        }
    }
    Ok(found)
}

/// A claim with several values has each of them.
fn has_value(claim: &Value, wanted: &Value) -> bool {
    claim == wanted || matches!(claim, Value::List(items) if items.contains(wanted))
}
