//! What policies mean here: the built-in functions and the CEL expressions of the installation, compiled once.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use heddle_clock::Timestamp;
use heddle_odrl::{
    BoundExpression, Evaluation, Functions, Policy, PolicyScope, ScopeSet, cel::Expression, evaluate,
};
use heddle_store::{Store, StoreError};
use heddle_telemetry::spans;
use serde::Serialize;
use serde_json::Value;

use crate::model::CelExpression;

/// Most expressions that an installation may have.
pub(crate) const EXPRESSIONS_MAX: u32 = 1000;

/// Evaluates policies.
pub(crate) struct Rules {
    store: Store,
    compiled: Mutex<HashMap<String, Arc<Expression>>>,
}

/// What a policy is evaluated about (`ctx` of expressions).
#[derive(Debug, Serialize)]
pub(crate) struct Subject<'a> {
    pub(crate) agent: Agent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agreement: Option<AgreementSubject<'a>>,
}

/// The counter-party.
#[derive(Debug, Serialize)]
pub(crate) struct Agent<'a> {
    pub(crate) id: &'a str,
    pub(crate) attributes: &'a serde_json::Map<String, Value>,
    pub(crate) claims: &'a Value,
}

/// The agreement, in transfers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AgreementSubject<'a> {
    pub(crate) id: &'a str,
    pub(crate) agreement_id: &'a str,
    pub(crate) asset_id: &'a str,
    pub(crate) provider_id: &'a str,
    pub(crate) consumer_id: &'a str,
    /// Seconds since the epoch.
    pub(crate) contract_signing_date: i64,
}

impl Rules {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, compiled: Mutex::new(HashMap::new()) }
    }

    /// The functions that policies may use at this moment.
    pub(crate) async fn functions(&self) -> Result<Functions, StoreError> {
        let mut functions = Functions::built_in();
        for row in self.store.published(CelExpression::DIRECTORY, None, EXPRESSIONS_MAX).await? {
            let stored: CelExpression = row.value()?;
            let Some(expression) = self.compile(&stored.expression) else {
                tracing::error!(component = "rules", expression = %stored.id, "a stored expression does not compile");
                continue;
            };
            functions.bind(BoundExpression {
                left_operand: stored.left_operand,
                expression,
                scopes: ScopeSet::new(&stored.scopes),
                actions: stored.actions,
            });
        }
        Ok(functions)
    }

    /// Compiled expressions are kept by their text; texts that no row has any more are few and stay.
    fn compile(&self, text: &str) -> Option<Arc<Expression>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expression) = compiled.get(text) {
            return Some(expression.clone());
        }
        if compiled.len() >= 4 * EXPRESSIONS_MAX as usize {
            compiled.clear();
        }
        let expression = Arc::new(Expression::compile(text).ok()?);
        compiled.insert(text.to_owned(), expression.clone());
        Some(expression)
    }
}

/// Evaluates `policy` about `subject`.
pub(crate) fn decide(
    policy: &Policy,
    scope: PolicyScope,
    subject: &Subject<'_>,
    now: Timestamp,
    functions: &Functions,
) -> Evaluation {
    let span = spans::policy(scope.as_str()).entered();
    let context = serde_json::to_value(subject).expect("texts and JSON values serialise");
    let evaluation = evaluate(policy, scope, &context, now, functions);
    spans::outcome(&span, if evaluation.is_permitted() { "permitted" } else { "denied" });
    evaluation
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rules")
    }
}
