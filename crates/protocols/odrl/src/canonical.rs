//! Equality of policies by meaning: both are written in one canonical form, and the texts compared.

use serde_json::{Map, Value};

use crate::{
    names,
    policy::{Constraint, Policy, Rule},
};

/// Whether two policies ask for the same: the same permissions, prohibitions, obligations and profiles.
///
/// The order of rules, of constraints and of the values of a list does not matter (but inside `andSequence`, whose
/// order is its meaning), nor does the spelling of a name (`odrl:use`, `use`) or whether a single value stands in a
/// list. Members that the model does not know do matter, as nobody can say that they mean
/// nothing; but for `callbackAddress` and the pids, which belong to messages.
///
/// `kind`, `id` and `timestamp` are not compared, as an agreement differs from its offer in them. `target`, `assigner`
/// and `assignee` are compared when both policies name one: they are filled in on the way from set to agreement. The
/// caller that needs them to be present says so with [`Policy::validate`].
#[must_use]
pub fn equivalent(a: &Policy, b: &Policy) -> bool {
    let agree = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    agree(&a.target, &b.target)
        && agree(&a.assigner, &b.assigner)
        && agree(&a.assignee, &b.assignee)
        && canonical(a) == canonical(b)
}

/// Members of negotiation messages that some peers repeat inside of a policy, where they say nothing.
const OF_MESSAGES: [&str; 3] = ["callbackAddress", "consumerPid", "providerPid"];

fn canonical(policy: &Policy) -> String {
    let mut profile = policy.profile.clone();
    profile.sort_unstable();
    let mut unknown = policy.extra.clone();
    unknown.retain(|name, _| !OF_MESSAGES.contains(&name.as_str()));
    let parts = [
        sorted(policy.permission.iter().map(rule)),
        sorted(policy.prohibition.iter().map(rule)),
        sorted(policy.obligation.iter().map(rule)),
        sorted(profile.iter().map(|name| quoted(name))),
        extra(&unknown),
    ];
    parts.join("\n")
}

fn rule(rule: &Rule) -> String {
    let constraints = sorted(rule.constraint.iter().map(constraint));
    let duties = sorted(rule.duty.iter().map(self::rule));
    format!("{}{constraints}{duties}{}", quoted(names::odrl_term(&rule.action)), extra(&rule.extra))
}

fn constraint(constraint: &Constraint) -> String {
    match constraint {
        Constraint::Atomic(atomic) => format!(
            "{} {} {}{}",
            quoted(&names::left_operand(&atomic.left_operand)),
            atomic.operator,
            value(atomic.right_operand.as_value()),
            extra(&atomic.extra)
        ),
        Constraint::Logical(logical) => {
            let members = logical.constraints.iter().map(self::constraint);
            let members = match logical.connective {
                crate::Connective::AndSequence => listed(&members.collect::<Vec<_>>()),
                _ => sorted(members),
            };
            format!("{}{members}{}", logical.connective.as_str(), extra(&logical.extra))
        }
    }
}

/// Unknown members; `@id` and `@type` of a rule or constraint only label it.
fn extra(members: &Map<String, Value>) -> String {
    let members = members.iter().filter(|(name, value)| !name.starts_with('@') && !value.is_null());
    let list: Vec<String> =
        members.map(|(name, member)| format!("{}:{}", quoted(name), value(member))).collect();
    if list.is_empty() { String::new() } else { sorted(list.into_iter()) }
}

fn value(value: &Value) -> String {
    match value {
        Value::Array(items) if items.len() == 1 => self::value(&items[0]),
        Value::Array(items) => sorted(items.iter().map(self::value)),
        Value::Object(members) if let Some(Value::Array(items)) = members.get("@list") => {
            format!("list{}", listed(&items.iter().map(self::value).collect::<Vec<_>>()))
        }
        Value::Object(members) => {
            format!(
                "{{{}}}",
                sorted(members.iter().map(|(name, member)| format!(
                    "{}:{}",
                    quoted(name),
                    self::value(member)
                )))
            )
        }
        Value::String(text) => quoted(text),
        // A number or boolean in a list is the string that it would be on its own.
        other => quoted(&other.to_string()),
    }
}

/// As a JSON string, so that no content can imitate the punctuation around it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn sorted(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    items.sort_unstable();
    listed(&items)
}

fn listed(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}
