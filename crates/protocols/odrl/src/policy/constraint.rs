//! Constraints: atomic ones compare, logical ones combine.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Operator, RightOperand, one_or_many};

/// A condition of a rule (DSP 2025-1, contract schema: `Constraint`).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "ConstraintWire", into = "ConstraintWire")]
pub enum Constraint {
    /// A comparison.
    Atomic(AtomicConstraint),
    /// A combination of constraints.
    Logical(LogicalConstraint),
}

/// A comparison of a left operand, whose value the evaluator knows, with a right operand, which the policy gives.
#[derive(Debug, Clone, PartialEq)]
pub struct AtomicConstraint {
    /// What is compared, as written; `names::left_operand` gives the name that functions are bound to.
    pub left_operand: String,
    /// How.
    pub operator: Operator,
    /// With what.
    pub right_operand: RightOperand,
    /// Members that this model does not know (`unit`, `dataType`). They count in [`crate::equivalent`].
    pub extra: Map<String, Value>,
}

/// A combination of constraints.
#[derive(Debug, Clone, PartialEq)]
pub struct LogicalConstraint {
    /// How the members are combined.
    pub connective: Connective,
    /// What is combined; never empty in a valid policy.
    pub constraints: Vec<Constraint>,
    /// Members that this model does not know. They count in [`crate::equivalent`].
    pub extra: Map<String, Value>,
}

/// How a logical constraint combines its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Connective {
    /// All hold.
    And,
    /// All hold, in this order.
    AndSequence,
    /// At least one holds.
    Or,
    /// Exactly one holds.
    Xone,
}

impl Connective {
    /// The JSON member that holds the combined constraints.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::AndSequence => "andSequence",
            Self::Or => "or",
            Self::Xone => "xone",
        }
    }
}

impl Constraint {
    /// A comparison.
    #[must_use]
    pub fn atomic(left: impl Into<String>, operator: Operator, right: impl Into<RightOperand>) -> Self {
        Self::Atomic(AtomicConstraint {
            left_operand: left.into(),
            operator,
            right_operand: right.into(),
            extra: Map::new(),
        })
    }

    /// A combination.
    #[must_use]
    pub fn logical(connective: Connective, constraints: Vec<Self>) -> Self {
        Self::Logical(LogicalConstraint { connective, constraints, extra: Map::new() })
    }

    pub(super) fn collect_left_operands<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Self::Atomic(atomic) => found.push(&atomic.left_operand),
            Self::Logical(logical) => {
                logical.constraints.iter().for_each(|inner| inner.collect_left_operands(found));
            }
        }
    }
}

/// A constraint that is neither one comparison nor one combination.
#[derive(Debug, thiserror::Error)]
enum InvalidConstraint {
    #[error("a constraint must have exactly one of 'and', 'andSequence', 'or', 'xone', or be a comparison")]
    NotOneKind,
    #[error("'{0}' has no members; a logical constraint must have at least one")]
    Empty(&'static str),
    #[error("a constraint has no '{0}'")]
    Missing(&'static str),
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ConstraintWire {
    #[serde(deserialize_with = "one_or_many::read_some", skip_serializing_if = "Option::is_none")]
    and: Option<Vec<Constraint>>,
    #[serde(deserialize_with = "one_or_many::read_some", skip_serializing_if = "Option::is_none")]
    and_sequence: Option<Vec<Constraint>>,
    #[serde(deserialize_with = "one_or_many::read_some", skip_serializing_if = "Option::is_none")]
    or: Option<Vec<Constraint>>,
    #[serde(deserialize_with = "one_or_many::read_some", skip_serializing_if = "Option::is_none")]
    xone: Option<Vec<Constraint>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_operand: Option<LeftOperand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<Operator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    right_operand: Option<RightOperand>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// Older peers wrap the name.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a left operand: a string, or an object with '@id'")]
enum LeftOperand {
    Name(String),
    Reference {
        #[serde(rename = "@id")]
        id: String,
    },
}

impl TryFrom<ConstraintWire> for Constraint {
    type Error = InvalidConstraint;

    fn try_from(wire: ConstraintWire) -> Result<Self, InvalidConstraint> {
        let mut extra = wire.extra;
        extra.retain(|_, value| !value.is_null());
        let lists = [
            (Connective::And, wire.and),
            (Connective::AndSequence, wire.and_sequence),
            (Connective::Or, wire.or),
            (Connective::Xone, wire.xone),
        ];
        let mut logical = lists.into_iter().filter_map(|(connective, list)| Some((connective, list?)));
        let comparison =
            wire.left_operand.is_some() || wire.operator.is_some() || wire.right_operand.is_some();
        match (logical.next(), logical.next()) {
            (None, _) => {
                let left = wire.left_operand.ok_or(InvalidConstraint::Missing("leftOperand"))?;
                let (LeftOperand::Name(left_operand) | LeftOperand::Reference { id: left_operand }) = left;
                let operator = wire.operator.ok_or(InvalidConstraint::Missing("operator"))?;
                let right_operand = wire.right_operand.ok_or(InvalidConstraint::Missing("rightOperand"))?;
                Ok(Self::Atomic(AtomicConstraint { left_operand, operator, right_operand, extra }))
            }
            (Some((connective, constraints)), None) if !comparison => {
                if constraints.is_empty() {
                    return Err(InvalidConstraint::Empty(connective.as_str()));
                }
                Ok(Self::Logical(LogicalConstraint { connective, constraints, extra }))
            }
            _ => Err(InvalidConstraint::NotOneKind),
        }
    }
}

impl From<Constraint> for ConstraintWire {
    fn from(constraint: Constraint) -> Self {
        match constraint {
            Constraint::Atomic(atomic) => Self {
                left_operand: Some(LeftOperand::Name(atomic.left_operand)),
                operator: Some(atomic.operator),
                right_operand: Some(atomic.right_operand),
                extra: atomic.extra,
                ..Self::default()
            },
            Constraint::Logical(logical) => {
                let mut wire = Self { extra: logical.extra, ..Self::default() };
                let list = match logical.connective {
                    Connective::And => &mut wire.and,
                    Connective::AndSequence => &mut wire.and_sequence,
                    Connective::Or => &mut wire.or,
                    Connective::Xone => &mut wire.xone,
                };
                *list = Some(logical.constraints);
                wire
            }
        }
    }
}
