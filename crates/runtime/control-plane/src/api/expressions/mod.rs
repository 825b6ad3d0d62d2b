//! `/celexpressions`: what left operands of policies mean, for the whole installation.

mod trial;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_clock::Timestamp;
use heddle_ids::CelExpressionId;
use heddle_odrl::cel::Expression;
use heddle_store::{Query, Transaction};
use heddle_web::{Management, Path, Rejection};
use serde::{Deserialize, Serialize};

use super::{
    answer::{Outcome, Shown, conflict, created, done, not_found, ok, same_id, taken},
    document::{Creation, Described, Document, OptionalDocument},
    guard::{ExpressionsAdmin, Installation},
    query::{QuerySpec, Queryable, select},
};
use crate::{ControlPlane, model::CelExpression, rules::EXPRESSIONS_MAX};

const TYPE: &str = "CelExpression";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/celexpressions", post(create))
        .route("/celexpressions/request", post(query))
        .route("/celexpressions/test", post(trial::test))
        .route("/celexpressions/{id}", get(show).put(update).delete(remove))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExpressionDocument {
    #[serde(rename = "@id", default)]
    id: Option<CelExpressionId>,
    left_operand: String,
    expression: String,
    description: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    actions: Vec<String>,
}

impl Described for ExpressionDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

impl ExpressionDocument {
    fn into_expression(self, id: CelExpressionId, created_at: Timestamp) -> Result<CelExpression, Rejection> {
        if self.left_operand.is_empty() {
            return Err(Rejection::invalid("/leftOperand", "the left operand must not be empty"));
        }
        Expression::compile(&self.expression)
            .map_err(|error| Rejection::invalid("/expression", error.to_string()))?;
        let Self { left_operand, expression, description, scopes, actions, .. } = self;
        Ok(CelExpression { id, left_operand, expression, description, scopes, actions, created_at })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExpressionBody<'a> {
    #[serde(rename = "@id")]
    id: &'a CelExpressionId,
    left_operand: &'a str,
    expression: &'a str,
    description: &'a str,
    scopes: &'a [String],
    actions: &'a [String],
    created_at: Timestamp,
}

fn shown(expression: &CelExpression) -> Shown<ExpressionBody<'_>> {
    let CelExpression { id, left_operand, expression, description, scopes, actions, created_at } = expression;
    let created_at = *created_at;
    Shown::new(
        TYPE,
        ExpressionBody { id, left_operand, expression, description, scopes, actions, created_at },
    )
}

impl Queryable for CelExpression {
    const PATHS: &'static [&'static str] =
        &["id", "leftOperand", "expression", "description", "scopes", "actions", "createdAt"];
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ExpressionsAdmin>,
    Creation(document, idempotency): Creation<ExpressionDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let key = leave.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    check_room(&mut transaction).await?;
    let id = document.id.clone().unwrap_or_else(|| {
        let (ms, random) = plane.environment.id_parts();
        CelExpressionId::from_parts(ms, random)
    });
    let now = transaction.now();
    let expression = document.into_expression(id, now)?;
    transaction.insert(&expression);
    transaction.publish(expression.published());
    let reply = created(expression.id.as_str(), now);
    let done = idempotency.conclude((&plane.store, &leave.scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, expression.id.as_str()))?)
}

/// Every evaluation reads all of them.
async fn check_room(transaction: &mut Transaction<'_>) -> Result<(), Rejection> {
    match transaction.count::<CelExpression>(&Query::default()).await? {
        count if count >= u64::from(EXPRESSIONS_MAX) => Err(conflict(format!(
            "There are {count} expressions; an installation has at most {EXPRESSIONS_MAX}"
        ))),
        _ => Ok(()),
    }
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ExpressionsAdmin>,
    Path(id, ..): Path<String, Management>,
    Document(document): Document<ExpressionDocument>,
) -> Outcome {
    same_id(&id, document.id.as_ref().map(CelExpressionId::as_str))?;
    let mut transaction = plane.store.begin(&leave.scope);
    let loaded = transaction.load::<CelExpression>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    let next = document.into_expression(loaded.id.clone(), loaded.created_at)?;
    transaction.save(&loaded, &next);
    transaction.publish(next.published());
    transaction.commit().await?;
    Ok(done())
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ExpressionsAdmin>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let found = select::<CelExpression>(&mut plane.store.begin(&leave.scope), &spec).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ExpressionsAdmin>,
    Path(id, ..): Path<String, Management>,
) -> Outcome {
    let expression = plane.store.begin(&leave.scope).load::<CelExpression>(&id).await?;
    Ok(ok(&shown(expression.ok_or_else(|| not_found(TYPE, &id))?.value())))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ExpressionsAdmin>,
    Path(id, ..): Path<String, Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let loaded = transaction.load::<CelExpression>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    transaction.delete(&loaded);
    transaction.withdraw(CelExpression::DIRECTORY, id);
    transaction.commit().await?;
    Ok(done())
}
