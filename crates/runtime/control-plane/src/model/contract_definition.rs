//! A contract definition: which assets are offered, to whom, on which terms.

use heddle_clock::Timestamp;
use heddle_ids::{ContractDefinitionId, PolicyDefinitionId};
use heddle_store::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Asset;

/// One condition of a selector (Management API `Criterion`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Criterion {
    /// A property path.
    pub operand_left: String,
    /// `=`, `!=`, `in`, `not in`, `like`, `ilike`, `contains`, `<`, `<=`, `>`, `>=`.
    pub operator: String,
    /// What it is compared with.
    pub operand_right: Value,
}

/// Offers the selected assets under a contract policy to those who fulfil the access policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractDefinition {
    /// Its id.
    pub id: ContractDefinitionId,
    /// Who sees the offer. The policy may not exist yet; then nobody does.
    pub access_policy: PolicyDefinitionId,
    /// The terms. The policy may not exist yet; then nothing is offered.
    pub contract_policy: PolicyDefinitionId,
    /// All must hold; empty selects every asset of the participant.
    #[serde(default)]
    pub selector: Vec<Criterion>,
    /// Properties that never leave the participant.
    #[serde(default)]
    pub private_properties: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ContractDefinition {
    /// Whether the selector takes `asset`.
    #[must_use]
    pub fn selects(&self, asset: &Asset) -> bool {
        self.selector.iter().all(|criterion| criterion.holds(|path| asset.at(path)))
    }
}

impl Aggregate for ContractDefinition {
    const KIND: &'static str = "contract-definition";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl Criterion {
    /// Every operator; upper case letters are as good.
    pub const OPERATORS: [&'static str; 11] =
        ["=", "!=", "in", "not in", "like", "ilike", "contains", "<", "<=", ">", ">="];

    /// Whether the operator exists.
    #[must_use]
    pub fn is_known(&self) -> bool {
        Self::OPERATORS.iter().any(|known| self.operator.eq_ignore_ascii_case(known))
    }

    /// Whether the condition holds for what `value` tells of a path. A path that nothing is known of fulfils only
    /// `!=` and `not in`.
    pub fn holds(&self, value: impl Fn(&str) -> Option<Value>) -> bool {
        let left = value(&self.operand_left);
        let right = &self.operand_right;
        match self.operator.to_ascii_lowercase().as_str() {
            "=" => left.is_some_and(|left| same(&left, right)),
            "!=" => !left.is_some_and(|left| same(&left, right)),
            "in" => left.is_some_and(|left| members(right).iter().any(|item| same(&left, item))),
            "not in" => !left.is_some_and(|left| members(right).iter().any(|item| same(&left, item))),
            "like" => text_pair(left.as_ref(), right).is_some_and(|(left, right)| like(&left, &right)),
            "ilike" => text_pair(left.as_ref(), right)
                .is_some_and(|(left, right)| like(&left.to_lowercase(), &right.to_lowercase())),
            "contains" => left.is_some_and(|left| contains(&left, right)),
            "<" => compare(left.as_ref(), right).is_some_and(std::cmp::Ordering::is_lt),
            "<=" => compare(left.as_ref(), right).is_some_and(std::cmp::Ordering::is_le),
            ">" => compare(left.as_ref(), right).is_some_and(std::cmp::Ordering::is_gt),
            ">=" => compare(left.as_ref(), right).is_some_and(std::cmp::Ordering::is_ge),
            _ => false,
        }
    }
}

fn members(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Equality; a number and its text are the same, as clients write either.
fn same(left: &Value, right: &Value) -> bool {
    left == right || matches!((text(left), text(right)), (Some(left), Some(right)) if left == right)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn text_pair(left: Option<&Value>, right: &Value) -> Option<(String, String)> {
    Some((text(left?)?, text(right)?))
}

fn contains(left: &Value, right: &Value) -> bool {
    match left {
        Value::Array(items) => items.iter().any(|item| same(item, right)),
        _ => text_pair(Some(left), right).is_some_and(|(left, right)| left.contains(&right)),
    }
}

fn compare(left: Option<&Value>, right: &Value) -> Option<std::cmp::Ordering> {
    let left = left?;
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        _ => text_pair(Some(left), right).map(|(left, right)| left.cmp(&right)),
    }
}

/// SQL's `LIKE`: `%` is any text, `_` any one character. Linear in the text for each `%`.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p) = (0, 0);
    let mut restart: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                restart = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '_' || *c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match restart {
                Some((percent, from)) => {
                    restart = Some((percent, from + 1));
                    (p, t) = (percent + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(operator: &str, right: Value) -> bool {
        let criterion = Criterion {
            operand_left: "name".to_owned(),
            operator: operator.to_owned(),
            operand_right: right,
        };
        criterion.holds(|path| (path == "name").then(|| json!("weather-7")))
    }

    #[test]
    fn every_operator_can_hold_and_fail() {
        for (operator, yes, no) in [
            ("=", json!("weather-7"), json!("weather")),
            ("!=", json!("other"), json!("weather-7")),
            ("in", json!(["a", "weather-7"]), json!(["a"])),
            ("not in", json!(["a"]), json!(["weather-7"])),
            ("like", json!("wea%_7"), json!("wea_7")),
            ("ILIKE", json!("WEA%"), json!("%8")),
            ("contains", json!("ther"), json!("thor")),
            ("<", json!("x"), json!("a")),
            (">=", json!("weather-7"), json!("x")),
        ] {
            assert!(holds(operator, yes), "{operator} should hold");
            assert!(!holds(operator, no), "{operator} should fail");
        }
        assert!(!holds("resembles", json!("weather-7")));
    }

    #[test]
    fn numbers_compare_as_numbers_and_equal_their_text() {
        let criterion = |operator: &str, right| Criterion {
            operand_left: "n".to_owned(),
            operator: operator.to_owned(),
            operand_right: right,
        };
        let value = |_: &str| Some(json!(10));
        assert!(criterion(">", json!(9)).holds(value));
        assert!(criterion("=", json!("10")).holds(value));
        assert!(!criterion("=", json!("9")).holds(|_| None));
        assert!(criterion("!=", json!("9")).holds(|_| None));
    }
}
