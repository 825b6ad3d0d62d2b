//! What the expressions of one policy evaluation share: the variables, the functions, the budget.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use cel::{
    Context, Env, ExecutionError, FunctionContext, IdedExpr, Value as Cel,
    common::value::CowVal,
    extractors::This as Target,
    objects::{Key, Map},
};
use chrono::{DateTime, FixedOffset};
use heddle_clock::Timestamp;
use serde_json::Value;

use super::{EvaluationError, Expression, This, credentials, guarded, metering, shortened, value};

/// The standard library without optional values.
pub(super) fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> =
        LazyLock::new(|| Arc::new(Env::stdlib().with_optional_support(false)));
    &ENVIRONMENT
}

/// The variables `ctx` and `now`, converted once for all expressions of an evaluation.
pub struct Session {
    root: Context<'static, 'static>,
    /// What is left of the budget of the running expression.
    budget: Arc<AtomicU64>,
    /// What is left for all expressions of the session.
    total: AtomicU64,
}

impl Session {
    /// Most work of all expressions of one session: a policy may have many constraints.
    pub const UNITS_MAX: u64 = 10 * Expression::UNITS_MAX;

    /// A session over `context` (a JSON object) at `now`.
    pub fn new(context: &Value, now: Timestamp) -> Result<Self, EvaluationError> {
        Self::within(context, now, Self::UNITS_MAX)
    }

    /// As [`Session::new`], with no more work than `units`.
    pub(crate) fn within(context: &Value, now: Timestamp, units: u64) -> Result<Self, EvaluationError> {
        let failed = |message: &str| EvaluationError::Failed(message.to_owned());
        let time = DateTime::from_timestamp_millis(now.as_millis())
            .ok_or_else(|| failed("the time is outside of the years that a calendar can name"))?
            .fixed_offset();
        let budget = Arc::new(AtomicU64::new(0));
        let mut root = Context::with_env(Arc::clone(environment()));
        root.add_variable_from_value("ctx", value::from_json(context)?);
        root.add_variable_from_value("now", Cel::Timestamp(time));
        add_functions(&mut root, &budget, time).map_err(|error| failed(&error.to_string()))?;
        Ok(Self { root, budget, total: AtomicU64::new(units) })
    }

    /// How much work is left.
    pub(crate) fn units_left(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(super) fn run(&self, expression: &IdedExpr, this: &This) -> Result<bool, EvaluationError> {
        let mut scope = self.root.new_inner_scope();
        scope.add_variable_from_value("this", this_value(this)?);
        let granted = Expression::UNITS_MAX.min(self.total.load(Ordering::Relaxed));
        self.budget.store(granted, Ordering::Relaxed);
        let outcome = guarded(|| Cel::resolve(expression, &scope));
        let spent = granted - self.budget.load(Ordering::Relaxed);
        self.total.fetch_sub(spent, Ordering::Relaxed);
        // An expression that ran out is refused, even where its logic would have hidden that.
        if self.budget.load(Ordering::Relaxed) == 0 {
            return Err(EvaluationError::TooMuchWork { max: Expression::UNITS_MAX });
        }
        match outcome {
            None => Err(EvaluationError::Failed("the expression breaks the evaluator".to_owned())),
            Some(Err(error)) => Err(EvaluationError::Failed(shortened(&error.to_string()))),
            Some(Ok(Cel::Bool(verdict))) => Ok(verdict),
            Some(Ok(other)) => Err(EvaluationError::NotBoolean(other.type_of().to_string())),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

fn this_value(this: &This) -> Result<Cel, EvaluationError> {
    let key = |name: &str| Key::String(Arc::new(name.to_owned()));
    let map = HashMap::from([
        (key("leftOperand"), Cel::from(this.left_operand.as_str())),
        (key("operator"), Cel::from(this.operator.as_str())),
        (key("rightOperand"), value::from_json(&this.right_operand)?),
    ]);
    Ok(Cel::Map(Map { map: Arc::new(map) }))
}

fn add_functions(
    root: &mut Context<'static, 'static>,
    budget: &Arc<AtomicU64>,
    now: DateTime<FixedOffset>,
) -> Result<(), cel::DeclarationError> {
    let charged = Arc::clone(budget);
    root.add_function(metering::CHARGE, charge(charged))?;
    let spent = Arc::clone(budget);
    root.add_function("matches", move |Target(text): Target<Arc<String>>, pattern: Arc<String>| {
        spend(&spent, PATTERN_UNITS)?;
        matches(&text, &pattern)
    })?;
    credentials::add_functions(root, now)
}

type Charge = Box<
    dyn for<'c, 'v> Fn(&mut FunctionContext<'c, 'v>) -> Result<CowVal<'c, 'v>, ExecutionError> + Send + Sync,
>;

fn charge(budget: Arc<AtomicU64>) -> Charge {
    Box::new(move |call| {
        let argument = call.args.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
        let left = budget.load(Ordering::Relaxed);
        spend(&budget, value::weight(argument.as_ref(), left))?;
        Ok(argument)
    })
}

/// Takes `units` from the budget; an overdrawn budget is empty for good.
fn spend(budget: &AtomicU64, units: u64) -> Result<(), ExecutionError> {
    let left = budget.load(Ordering::Relaxed).saturating_sub(units);
    budget.store(left, Ordering::Relaxed);
    if left == 0 { Err(ExecutionError::function_error("charge", "no work is left")) } else { Ok(()) }
}

/// What compiling a pattern costs.
const PATTERN_UNITS: u64 = 500;
/// Largest compiled pattern, in bytes: patterns may come from a policy or a claim.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

fn matches(text: &str, pattern: &str) -> Result<bool, ExecutionError> {
    let compiled = regex::RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build();
    let compiled = compiled.map_err(|error| ExecutionError::function_error("matches", error))?;
    Ok(compiled.is_match(text))
}
