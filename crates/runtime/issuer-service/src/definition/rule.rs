//! Rules: what must hold of the attested claims.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::path;

/// How a claim is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Operator {
    Eq,
    Neq,
    Gt,
    Geq,
    Lt,
    Leq,
}

impl Operator {
    const fn name(self) -> &'static str {
        match self {
            Self::Eq => "EQ",
            Self::Neq => "NEQ",
            Self::Gt => "GT",
            Self::Geq => "GEQ",
            Self::Lt => "LT",
            Self::Leq => "LEQ",
        }
    }
}

/// A comparison of one claim with a constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expression {
    /// A path into the attested claims.
    pub(crate) claim: String,
    pub(crate) operator: Operator,
    pub(crate) value: Value,
}

/// A rule by its type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "configuration", rename_all = "lowercase")]
pub(crate) enum Rule {
    Expression(Expression),
}

impl Rule {
    /// Whether it holds. What is not there, or cannot be compared, makes it fail, whatever the operator.
    pub(crate) fn holds(&self, claims: &Map<String, Value>) -> bool {
        let Self::Expression(expression) = self;
        let Some(found) = path::at(claims, &expression.claim) else { return false };
        let value = &expression.value;
        match expression.operator {
            Operator::Eq => same(found, value),
            Operator::Neq => !same(found, value),
            Operator::Gt => order(found, value).is_some_and(Ordering::is_gt),
            Operator::Geq => order(found, value).is_some_and(Ordering::is_ge),
            Operator::Lt => order(found, value).is_some_and(Ordering::is_lt),
            Operator::Leq => order(found, value).is_some_and(Ordering::is_le),
        }
    }

    /// Refuses a claim that is no path: the member and what was expected of it.
    pub(crate) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let Self::Expression(expression) = self;
        if path::is_path(&expression.claim) {
            return Ok(());
        }
        Err(("configuration/claim", "expected a path into the claims, such as onboarding.signedDocuments"))
    }
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a.total_cmp(&b).is_eq())
}

/// Numbers by size, texts by letter, so that dates in the usual form compare; nothing else has an order.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a.as_f64()?.total_cmp(&b.as_f64()?)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Expression(expression) = self;
        write!(f, "{} {} {}", expression.claim, expression.operator.name(), expression.value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(operator: &str, found: &Value, value: &Value) -> bool {
        let rule = json!({"type": "expression", "configuration": {"claim": "a.b", "operator": operator, "value": value}});
        let rule: Rule = serde_json::from_value(rule).expect("a rule");
        let claims = json!({"a": {"b": found}});
        rule.holds(claims.as_object().expect("an object"))
    }

    #[test]
    fn operators() {
        for (operator, less, equal, greater) in [
            ("EQ", false, true, false),
            ("NEQ", true, false, true),
            ("GT", false, false, true),
            ("GEQ", false, true, true),
            ("LT", true, false, false),
            ("LEQ", true, true, false),
        ] {
            let results = [json!(1), json!(2.0), json!(3)].map(|found| holds(operator, &found, &json!(2)));
            assert_eq!(results, [less, equal, greater], "{operator}");
        }
        assert!(holds("GEQ", &json!("2026-05-01"), &json!("2026-04-30")));
        assert!(holds("EQ", &json!(true), &json!(true)) && !holds("EQ", &json!("true"), &json!(true)));
    }

    #[test]
    fn what_cannot_be_compared_does_not_hold() {
        for operator in ["GT", "GEQ", "LT", "LEQ"] {
            assert!(!holds(operator, &json!("5"), &json!(4)), "{operator}");
            assert!(!holds(operator, &json!(null), &json!(4)), "{operator}");
        }
        let rule =
            json!({"type": "expression", "configuration": {"claim": "x", "operator": "NEQ", "value": 1}});
        let rule: Rule = serde_json::from_value(rule).expect("a rule");
        assert!(!rule.holds(&Map::new()), "an absent claim is not a different one");
    }

    #[test]
    fn other_rules_and_operators_are_refused() {
        for bad in [
            json!({"type": "script", "configuration": {"claim": "a", "operator": "EQ", "value": 1}}),
            json!({"type": "expression", "configuration": {"claim": "a", "operator": "LIKE", "value": 1}}),
            json!({"type": "expression", "configuration": {"claim": "a", "operator": "EQ"}}),
        ] {
            assert!(serde_json::from_value::<Rule>(bad.clone()).is_err(), "{bad}");
        }
    }
}
