//! Operators and right operands.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use crate::names;

/// How the left operand of a constraint is compared with the right one (DSP 2025-1, contract schema: `Operator`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gteq,
    /// Less or equal.
    Lteq,
    /// The left operand contains the right one.
    HasPart,
    /// The left operand is an instance of the right one.
    IsA,
    /// The left operand is all of the right ones.
    IsAllOf,
    /// The left operand is any of the right ones.
    IsAnyOf,
    /// The left operand is none of the right ones.
    IsNoneOf,
    /// The left operand is contained in the right one.
    IsPartOf,
    /// Less.
    Lt,
    /// Less or equal, in the term of the ODRL profile.
    TermLteq,
    /// Not equal.
    Neq,
}

/// Every operator: its wire spelling, and its name in expressions (`this.operator`).
const OPERATORS: [(Operator, &str, &str); 13] = [
    (Operator::Eq, "eq", "EQ"),
    (Operator::Gt, "gt", "GT"),
    (Operator::Gteq, "gteq", "GEQ"),
    (Operator::Lteq, "lteq", "LEQ"),
    (Operator::HasPart, "hasPart", "HAS_PART"),
    (Operator::IsA, "isA", "IS_A"),
    (Operator::IsAllOf, "isAllOf", "IS_ALL_OF"),
    (Operator::IsAnyOf, "isAnyOf", "IS_ANY_OF"),
    (Operator::IsNoneOf, "isNoneOf", "IS_NONE_OF"),
    (Operator::IsPartOf, "isPartOf", "IN"),
    (Operator::Lt, "lt", "LT"),
    (Operator::TermLteq, "term-lteq", "LEQ"),
    (Operator::Neq, "neq", "NEQ"),
];

impl Operator {
    /// The wire spelling: `gteq`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The name that expressions see in `this.operator`: `GEQ`.
    #[must_use]
    pub fn expression_name(self) -> &'static str {
        self.row().2
    }

    /// The operator of a wire spelling, prefixed (`odrl:gteq`) or not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let term = names::odrl_term(text);
        OPERATORS.iter().find(|row| row.1 == term).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        // The table is in the order of the enum; a test compares them.
        &OPERATORS[self as usize]
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Operator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Older peers wrap names.
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an operator: a string, or an object with '@id'")]
        enum Name {
            Plain(String),
            Reference {
                #[serde(rename = "@id")]
                id: String,
            },
        }
        let (Name::Plain(name) | Name::Reference { id: name }) = Name::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| {
            let known = OPERATORS.map(|row| row.1).join(", ");
            D::Error::custom(format!("'{name}' is not an operator; the operators are {known}"))
        })
    }
}

/// The right operand of a constraint: always a string, an object or an array, as DSP 2025-1 requires.
///
/// Numbers and booleans, which the schema forbids, become strings when they come in, so that both parties of a
/// negotiation keep and compare the same value. A plain `{"@value": x}` becomes `x`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RightOperand(Value);

impl RightOperand {
    /// From any JSON value but `null`, which is no operand.
    #[must_use]
    pub fn new(value: Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(bool) => Some(Self(Value::String(bool.to_string()))),
            Value::Number(number) => Some(Self(Value::String(number.to_string()))),
            Value::Object(mut object) if object.len() == 1 && object.contains_key("@value") => {
                // One level only: a value object inside a value object means nothing in JSON-LD.
                match object.remove("@value") {
                    Some(Value::Object(inner)) => Some(Self(Value::Object(inner))),
                    Some(inner) => Self::new(inner),
                    None => None,
                }
            }
            text_object_or_array => Some(Self(text_object_or_array)),
        }
    }

    /// The JSON value.
    #[must_use]
    pub const fn as_value(&self) -> &Value {
        &self.0
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }
}

impl From<&str> for RightOperand {
    fn from(text: &str) -> Self {
        Self(Value::String(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for RightOperand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Value::deserialize(deserializer)?).ok_or_else(|| {
            D::Error::custom("the right operand is null; it must be a string, an object or an array")
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, row) in OPERATORS.iter().enumerate() {
            assert_eq!(row.0 as usize, index);
            assert_eq!(Operator::parse(row.1), Some(row.0));
        }
        assert_eq!(Operator::parse("http://www.w3.org/ns/odrl/2/gteq"), Some(Operator::Gteq));
        assert_eq!(Operator::parse("GTEQ"), None);
    }

    #[test]
    fn a_right_operand_is_always_legal_on_the_wire() {
        let operand = |value| RightOperand::new(value).map(|operand| operand.0);
        assert_eq!(operand(json!(5)), Some(json!("5")));
        assert_eq!(operand(json!(true)), Some(json!("true")));
        assert_eq!(operand(json!({"@value": 1.5})), Some(json!("1.5")));
        assert_eq!(operand(json!({"@id": "x"})), Some(json!({"@id": "x"})));
        assert_eq!(operand(json!([1, "a"])), Some(json!([1, "a"])));
        assert_eq!(operand(json!(null)), None);
        assert_eq!(operand(json!({"@value": null})), None);
    }
}
