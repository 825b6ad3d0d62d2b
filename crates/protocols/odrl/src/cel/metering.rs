//! Charges for work, woven into an expression when it is compiled.
//!
//! The language has no loops without end, but nested macros multiply, and chains such as
//! `list.map(x, x + x).map(x, x + x)` double a value with each link. So the syntax tree is rewritten: what costs is
//! wrapped in a call of [`CHARGE`], a function that takes its argument's weight from the budget of the evaluation and
//! hands the argument back, or fails when nothing is left. Charged are
//!
//! - the list that a macro iterates over (each element is copied),
//! - each iteration: through its condition, whose failure no later element overrides; where the condition is a
//!   constant (`map`, `filter`), through the test or the element that the step appends,
//! - what an operator other than `&&`, `||`, `!`, `?:` and indexing takes, what any function takes,
//! - what `+` gives, and what is put into a list or a map.
//!
//! `CHARGE` cannot be written in an expression: no name may begin with `@`.

use cel::{
    IdedExpr,
    common::ast::{
        CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, LiteralValue, SelectExpr, operators,
    },
};

use super::{CompileError, Expression, credentials};

/// The function that charges for its argument.
pub(super) const CHARGE: &str = "@charge";

/// Operators whose operands are not charged for: they look at one value, or at one entry.
const FREE: [&str; 6] = [
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::CONDITIONAL,
    operators::INDEX,
    operators::NOT_STRICTLY_FALSE,
];

/// The other operators.
const CHARGED: [&str; 13] = [
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::NEGATE,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::IN,
];

/// Functions of the language that expressions may call.
const FUNCTIONS: [&str; 25] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// Names of types, which are values of the language.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The expression with its charges. Refuses names that do not exist and nesting past the limit.
pub(super) fn metered(expression: IdedExpr) -> Result<IdedExpr, CompileError> {
    let no_boolean = match &expression.expr {
        Expr::Literal(literal) => !matches!(literal, LiteralValue::Boolean(_)),
        Expr::List(_) | Expr::Map(_) => true,
        _ => false,
    };
    if no_boolean {
        return Err(CompileError::NotBoolean);
    }
    Meter { variables: vec!["ctx".into(), "this".into(), "now".into()], depth: 0, macros: 0 }
        .expression(expression)
}

struct Meter {
    /// Variables in scope, the innermost last.
    variables: Vec<String>,
    depth: usize,
    macros: usize,
}

impl Meter {
    fn expression(&mut self, expression: IdedExpr) -> Result<IdedExpr, CompileError> {
        let max = Expression::DEPTH_MAX;
        if self.depth >= max {
            return Err(CompileError::TooDeep { max });
        }
        self.depth += 1;
        let id = expression.id;
        let expr = self.inner(id, expression.expr)?;
        self.depth -= 1;
        Ok(IdedExpr { id, expr })
    }

    fn inner(&mut self, id: u64, expr: Expr) -> Result<Expr, CompileError> {
        match expr {
            Expr::Literal(literal) => Ok(Expr::Literal(literal)),
            Expr::Ident(name) => {
                let known = self.variables.contains(&name) || TYPES.contains(&name.as_str());
                if known { Ok(Expr::Ident(name)) } else { Err(CompileError::UnknownVariable(name)) }
            }
            Expr::Select(select) => {
                let operand = Box::new(self.expression(*select.operand)?);
                Ok(Expr::Select(SelectExpr { operand, ..select }))
            }
            Expr::List(mut list) => {
                list.elements = self.charged_all(list.elements)?;
                Ok(Expr::List(list))
            }
            Expr::Map(mut map) => {
                for entry in &mut map.entries {
                    self.entry(entry)?;
                }
                Ok(Expr::Map(map))
            }
            Expr::Call(call) => self.call(id, call),
            Expr::Comprehension(comprehension) => {
                Ok(Expr::Comprehension(Box::new(self.comprehension(*comprehension)?)))
            }
            Expr::Struct(literal) => Err(CompileError::UnknownFunction(literal.type_name)),
            Expr::Unspecified => Err(CompileError::Syntax("a part of the expression is empty".to_owned())),
        }
    }

    fn entry(&mut self, entry: &mut IdedEntryExpr) -> Result<(), CompileError> {
        match &mut entry.expr {
            EntryExpr::MapEntry(pair) => {
                pair.key = self.charged(std::mem::take(&mut pair.key))?;
                pair.value = self.charged(std::mem::take(&mut pair.value))?;
                Ok(())
            }
            EntryExpr::StructField(field) => Err(CompileError::UnknownFunction(field.field.clone())),
        }
    }

    fn call(&mut self, id: u64, call: CallExpr) -> Result<Expr, CompileError> {
        let name = call.func_name.as_str();
        if FREE.contains(&name) {
            let args = call.args.into_iter().map(|arg| self.expression(arg)).collect::<Result<_, _>>()?;
            let target = call.target.map(|target| self.expression(*target)).transpose()?.map(Box::new);
            return Ok(Expr::Call(CallExpr { func_name: call.func_name, target, args }));
        }
        let known =
            CHARGED.contains(&name) || FUNCTIONS.contains(&name) || credentials::FUNCTIONS.contains(&name);
        if !known {
            return Err(CompileError::UnknownFunction(call.func_name));
        }
        let adds = name == operators::ADD;
        let args = self.charged_all(call.args)?;
        let target = call.target.map(|target| self.charged(*target)).transpose()?.map(Box::new);
        let call = Expr::Call(CallExpr { func_name: call.func_name, target, args });
        Ok(if adds { charge(IdedExpr { id, expr: call }).expr } else { call })
    }

    fn comprehension(&mut self, loops: ComprehensionExpr) -> Result<ComprehensionExpr, CompileError> {
        let max = Expression::MACROS_NESTED_MAX;
        if self.macros >= max {
            return Err(CompileError::TooDeep { max });
        }
        self.macros += 1;
        let iter_range = self.charged(loops.iter_range)?;
        let accu_init = self.expression(loops.accu_init)?;
        let outer = self.variables.len();
        self.variables.extend([loops.accu_var.clone(), loops.iter_var.clone()]);
        self.variables.extend(loops.iter_var2.clone());
        let constant = matches!(loops.loop_cond.expr, Expr::Literal(_));
        let loop_cond = if constant { loops.loop_cond } else { self.charged(loops.loop_cond)? };
        let loop_step = self.step(&loops.accu_var, loops.loop_step)?;
        let result = self.expression(loops.result)?;
        self.variables.truncate(outer);
        self.macros -= 1;
        Ok(ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, ..loops })
    }

    /// A step that appends (`@result + [x]`, `test ? @result + [x] : @result`) keeps its shape, by which the language
    /// appends in place; its parts are charged for.
    fn step(&mut self, accumulator: &str, step: IdedExpr) -> Result<IdedExpr, CompileError> {
        let is_accumulator = |expr: &IdedExpr| matches!(&expr.expr, Expr::Ident(name) if name == accumulator);
        let id = step.id;
        match step.expr {
            Expr::Call(mut call)
                if call.func_name == operators::ADD && call.args.first().is_some_and(is_accumulator) =>
            {
                let appended =
                    call.args.drain(1..).map(|arg| self.expression(arg)).collect::<Result<Vec<_>, _>>()?;
                call.args.extend(appended);
                Ok(IdedExpr { id, expr: Expr::Call(call) })
            }
            Expr::Call(mut call)
                if call.func_name == operators::CONDITIONAL
                    && call.args.last().is_some_and(is_accumulator) =>
            {
                for (index, arg) in call.args.iter_mut().enumerate() {
                    let part = std::mem::take(arg);
                    *arg = if index == 0 { self.charged(part)? } else { self.step(accumulator, part)? };
                }
                Ok(IdedExpr { id, expr: Expr::Call(call) })
            }
            expr => self.expression(IdedExpr { id, expr }),
        }
    }

    fn charged(&mut self, expression: IdedExpr) -> Result<IdedExpr, CompileError> {
        Ok(match self.expression(expression)? {
            // The length of the text bounds its literals.
            literal @ IdedExpr { expr: Expr::Literal(_), .. } => literal,
            other => charge(other),
        })
    }

    fn charged_all(&mut self, expressions: Vec<IdedExpr>) -> Result<Vec<IdedExpr>, CompileError> {
        expressions.into_iter().map(|expression| self.charged(expression)).collect()
    }
}

fn charge(expression: IdedExpr) -> IdedExpr {
    let id = expression.id;
    IdedExpr {
        id,
        expr: Expr::Call(CallExpr { func_name: CHARGE.to_owned(), target: None, args: vec![expression] }),
    }
}
