//! Trying an expression before policies depend on it.

use std::sync::Arc;

use axum::extract::State;
use heddle_clock::Timestamp;
use heddle_odrl::{
    Operator,
    cel::{Expression, Session, This},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    ControlPlane,
    api::{
        answer::{Outcome, Shown, ok},
        document::{Described, Document},
        guard::{ExpressionsAdmin, Installation},
    },
};

/// An expression with something to try it on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestDocument {
    left_operand: String,
    expression: String,
    operator: String,
    right_operand: Value,
    #[serde(default)]
    params: Map<String, Value>,
}

impl Described for TestDocument {
    const TYPES: &'static [&'static str] = &["CelExpressionTestRequest"];
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TestBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation_result: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Tries an expression. That it fails is an answer, not an error.
pub(super) async fn test(
    State(plane): State<Arc<ControlPlane>>,
    _leave: Installation<ExpressionsAdmin>,
    Document(document): Document<TestDocument>,
) -> Outcome {
    let body = match evaluate(&document, plane.environment.now()) {
        Ok(result) => TestBody { evaluation_result: Some(result), error: None },
        Err(error) => TestBody { evaluation_result: None, error: Some(error) },
    };
    Ok(ok(&Shown::new("CelExpressionTestResponse", body)))
}

fn evaluate(document: &TestDocument, now: Timestamp) -> Result<bool, String> {
    let expression = Expression::compile(&document.expression).map_err(|error| error.to_string())?;
    // Both spellings of an operator are known: that of policies, and that of expressions.
    let operator = Operator::parse(&document.operator).map(Operator::expression_name);
    let this = This {
        left_operand: heddle_odrl::names::left_operand(&document.left_operand),
        operator: operator.unwrap_or(&document.operator).to_owned(),
        right_operand: document.right_operand.clone(),
    };
    let context = Value::Object(document.params.clone());
    let session = Session::new(&context, now).map_err(|error| error.to_string())?;
    expression.evaluate(&session, &this).map_err(|error| error.to_string())
}
