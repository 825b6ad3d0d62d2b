//! Conditions as Management APIs write them (`Criterion` of a `QuerySpec`): a path, an operator, an operand.

use serde_json::Value;

use super::{Filter, LIST_VALUES_MAX, Like, PATH_BYTES_MAX, Scalar, Test};

/// Every operator; upper case letters are as good.
pub const OPERATORS: [&str; 11] =
    ["=", "!=", "in", "not in", "like", "ilike", "contains", "<", "<=", ">", ">="];

/// Why a condition cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// There is no such operator.
    #[error("'{0}' is not an operator; the operators are {list}", list = OPERATORS.join(", "))]
    Operator(String),
    /// The operand is of the wrong sort.
    #[error("the operator '{operator}' takes {expected}")]
    Operand {
        /// The operator.
        operator: String,
        /// What it takes.
        expected: &'static str,
    },
    /// The path cannot be one.
    #[error("a path has 1 to {PATH_BYTES_MAX} bytes")]
    Path,
    /// The pattern is too long or too costly.
    #[error("a pattern has at most {bytes_max} bytes and {any_max} times '%'")]
    Pattern {
        /// Most bytes.
        bytes_max: usize,
        /// Most wildcards for any text.
        any_max: usize,
    },
    /// The text cannot be read as a filter.
    #[error("{0}")]
    Syntax(String),
}

impl FilterError {
    /// The member of the condition that is wrong.
    #[must_use]
    pub fn member(&self) -> &'static str {
        match self {
            Self::Operator(_) => "operator",
            Self::Path => "operandLeft",
            _ => "operandRight",
        }
    }
}

/// A condition as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    /// The path, as properties have it.
    pub path: &'a str,
    /// The operator.
    pub operator: &'a str,
    /// What the values at the path are compared with.
    pub operand: &'a Value,
}

/// Reads one condition.
///
/// # Errors
/// When the operator does not exist, or the operand is of a sort that it does not take.
pub fn condition(condition: &Condition<'_>) -> Result<Filter, FilterError> {
    let Condition { path, operator, operand } = *condition;
    if path.is_empty() || path.len() > PATH_BYTES_MAX || path.contains('\0') {
        return Err(FilterError::Path);
    }
    let operator = operator.to_ascii_lowercase();
    let wrong = |expected| FilterError::Operand { operator: operator.clone(), expected };
    let scalar = || Scalar::of(operand).ok_or_else(|| wrong("a text, a number or a truth value"));
    let test = match operator.as_str() {
        "=" => Test::Equal(scalar()?),
        "!=" => Test::NotEqual(scalar()?),
        "in" => Test::In(list(operand).ok_or_else(|| wrong(LIST))?),
        "not in" => Test::NotIn(list(operand).ok_or_else(|| wrong(LIST))?),
        "like" => Test::Like(Like::parse(scalar()?.text())?),
        "ilike" => Test::LikeAnyCase(Like::parse(scalar()?.text())?),
        "contains" => Test::Contains(scalar()?),
        "<" => Test::Less(scalar()?),
        "<=" => Test::AtMost(scalar()?),
        ">" => Test::Greater(scalar()?),
        ">=" => Test::AtLeast(scalar()?),
        _ => return Err(FilterError::Operator(operator)),
    };
    Ok(Filter::path(path, test))
}

const LIST: &str = "a list of at most 256 texts, numbers and truth values";

fn list(operand: &Value) -> Option<Vec<Scalar>> {
    let items = operand.as_array().filter(|items| items.len() <= LIST_VALUES_MAX)?;
    items.iter().map(Scalar::of).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::filter::Properties;

    fn read(operator: &str, operand: &Value) -> Result<Filter, FilterError> {
        condition(&Condition { path: "name", operator, operand })
    }

    #[test]
    fn every_operator_can_hold_and_fail() {
        let properties = Properties::default().with_text("name", "weather-7").into_rows();
        for (operator, yes, no) in [
            ("=", json!("weather-7"), json!("weather")),
            ("!=", json!("other"), json!("weather-7")),
            ("in", json!(["a", "weather-7"]), json!(["a"])),
            ("NOT IN", json!(["a"]), json!(["weather-7"])),
            ("like", json!("wea%_7"), json!("wea_7")),
            ("ILIKE", json!("WEA%"), json!("%8")),
            ("contains", json!("ther"), json!("thor")),
            ("<", json!("x"), json!("a")),
            ("<=", json!("weather-7"), json!("weather")),
            (">", json!("weather"), json!("weather-7")),
            (">=", json!("weather-7"), json!("x")),
        ] {
            assert!(
                read(operator, &yes).expect("a condition").matches(&properties),
                "{operator} should hold"
            );
            assert!(
                !read(operator, &no).expect("a condition").matches(&properties),
                "{operator} should fail"
            );
        }
    }

    #[test]
    fn what_is_not_there_fulfils_nothing() {
        for operator in OPERATORS {
            let operand = if operator.ends_with("in") { json!(["x"]) } else { json!("x") };
            assert!(!read(operator, &operand).expect("a condition").matches(&[]), "{operator}");
        }
    }

    #[test]
    fn wrong_conditions_say_what_is_allowed() {
        let said = |operator: &str, operand: Value| read(operator, &operand).expect_err("wrong").to_string();
        assert!(said("resembles", json!(1)).ends_with("like, ilike, contains, <, <=, >, >="));
        assert_eq!(said("in", json!("x")), format!("the operator 'in' takes {LIST}"));
        assert_eq!(said("=", json!([1])), "the operator '=' takes a text, a number or a truth value");
        assert_eq!(said("<", json!(null)), "the operator '<' takes a text, a number or a truth value");
        assert!(said("in", json!(vec![1; LIST_VALUES_MAX + 1])).contains("256"));
    }
}
