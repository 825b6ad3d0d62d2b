//! Expressions of the Common Expression Language that decide constraints.
//!
//! An expression is compiled once and kept; it sees `ctx` (what is known about the peer and the agreement), `this`
//! (the constraint) and `now`, and must give a boolean. Beside the language's own functions it has those over
//! verifiable credentials of [`credentials`].
//!
//! An expression can neither run for long nor take much memory: its text is bounded before it is parsed, and while it
//! runs, every iteration and every value that is compared, combined or handed to a function is charged against a
//! budget ([`Expression::UNITS_MAX`]); `metering` explains how.
//!
//! Deliberately absent: `optional` values, and everything that reads the outside world.

pub mod credentials;
mod metering;
mod session;
mod text;
mod value;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cel::IdedExpr;
use serde_json::Value;

pub use session::Session;

use crate::policy::AtomicConstraint;

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The text is longer than [`Expression::TEXT_BYTES_MAX`].
    #[error("the expression is {actual} bytes long; the limit is {max} bytes")]
    TooLong {
        /// Its length.
        actual: usize,
        /// The limit.
        max: usize,
    },
    /// Brackets or operators are nested deeper than [`Expression::DEPTH_MAX`], or macros deeper than
    /// [`Expression::MACROS_NESTED_MAX`].
    #[error("the expression is nested deeper than the limit of {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// It has more than [`Expression::LINKS_MAX`] operators, brackets and dots.
    #[error("the expression has more than {max} operators, brackets and dots")]
    TooManyLinks {
        /// The limit.
        max: usize,
    },
    /// It is not an expression of the language.
    #[error("the expression cannot be parsed: {0}")]
    Syntax(String),
    /// It calls a function that does not exist.
    #[error("the expression calls '{0}', which is not a function that expressions have")]
    UnknownFunction(String),
    /// It names a variable that does not exist.
    #[error("the expression names '{0}'; expressions see 'ctx', 'this' and 'now'")]
    UnknownVariable(String),
    /// It can only give something that is not a boolean.
    #[error("the expression gives no boolean, so it cannot decide a constraint")]
    NotBoolean,
}

/// Why an expression gave no answer. A constraint whose expression gives no answer is not satisfied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A key, an index, a type that is not there.
    #[error("the expression failed: {0}")]
    Failed(String),
    /// Its value is not a boolean.
    #[error("the expression gave a value of type '{0}' where a boolean is needed")]
    NotBoolean(String),
    /// It used up [`Expression::UNITS_MAX`].
    #[error("the expression took more than the {max} units of work that an evaluation may take")]
    TooMuchWork {
        /// The limit.
        max: u64,
    },
    /// What it should look at is larger than [`Expression::CONTEXT_UNITS_MAX`].
    #[error("the context of the evaluation has more than {max} values, or is nested too deep")]
    ContextTooLarge {
        /// The limit.
        max: u64,
    },
}

/// The constraint that an expression decides, as it sees it in `this`.
#[derive(Debug, Clone, PartialEq)]
pub struct This {
    /// `this.leftOperand`: the expanded name.
    pub left_operand: String,
    /// `this.operator`: a name such as `EQ` ([`crate::Operator::expression_name`]).
    pub operator: String,
    /// `this.rightOperand`.
    pub right_operand: Value,
}

impl From<&AtomicConstraint> for This {
    fn from(constraint: &AtomicConstraint) -> Self {
        Self {
            left_operand: crate::names::left_operand(&constraint.left_operand),
            operator: constraint.operator.expression_name().to_owned(),
            right_operand: constraint.right_operand.as_value().clone(),
        }
    }
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    /// The expression with its charges, see `metering`.
    metered: IdedExpr,
    looks_at_credentials: bool,
}

impl Expression {
    /// Longest text of an expression, in bytes.
    pub const TEXT_BYTES_MAX: usize = 4096;
    /// Deepest nesting of brackets in the text, and of operators and calls in what it means.
    pub const DEPTH_MAX: usize = 24;
    /// Deepest nesting of macros (`exists`, `map`), where a macro over the result of another is nested as well.
    pub const MACROS_NESTED_MAX: usize = 8;
    /// Most operators, brackets and dots in the text, counting those in string literals: each may make the parser
    /// recurse once more.
    pub const LINKS_MAX: usize = 512;
    /// Most work of one evaluation; one unit is about one iteration, or one value looked at.
    pub const UNITS_MAX: u64 = 200_000;
    /// Largest context, in the same units: one for each value and each 64 bytes of text.
    pub const CONTEXT_UNITS_MAX: u64 = 65_536;

    /// Compiles `text`: checks its limits, its syntax, and that every function and variable exists.
    pub fn compile(text: &str) -> Result<Self, CompileError> {
        text::check(text)?;
        // The parser is not ours: should it panic on a text, that text is refused.
        let parsed = catch_unwind(|| session::environment().parser().parse(text))
            .map_err(|_| CompileError::Syntax("the text breaks the parser".to_owned()))?
            .map_err(|errors| CompileError::Syntax(shortened(&errors.to_string())))?;
        let metered = metering::metered(parsed)?;
        let looks_at_credentials = text.contains(".vc") || text.contains("'vc'") || text.contains("\"vc\"");
        Ok(Self { text: text.to_owned(), metered, looks_at_credentials })
    }

    /// The text that it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text mentions the peer's credentials (`ctx.agent.claims.vc`).
    #[must_use]
    pub const fn looks_at_credentials(&self) -> bool {
        self.looks_at_credentials
    }

    /// Decides the constraint `this` in `session`.
    pub fn evaluate(&self, session: &Session, this: &This) -> Result<bool, EvaluationError> {
        session.run(&self.metered, this)
    }
}

/// Messages of the language's implementation print whole values; a person needs their beginning.
fn shortened(message: &str) -> String {
    const CHARS_MAX: usize = 400;
    let mut short: String = message.chars().take(CHARS_MAX).collect();
    if short.len() < message.len() {
        short.push('…');
    }
    short
}

/// As [`catch_unwind`], for code that only reads what it shares.
fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}
