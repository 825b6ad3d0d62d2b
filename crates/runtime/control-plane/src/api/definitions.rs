//! `…/participants/{context}/contractdefinitions`: which assets are offered, to whom, on which terms.
//!
//! The policies that a definition names need not exist yet; until they do, it offers nothing.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_clock::Timestamp;
use heddle_ids::{ContractDefinitionId, ParticipantContextId, PolicyDefinitionId};
use heddle_web::{Management, Path, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    answer::{Outcome, Shown, created, done, not_found, ok, taken},
    changes::{Changed, tell},
    document::{Creation, Described, Document, OptionalDocument},
    guard::{DefinitionsRead, DefinitionsWrite, Own},
    present,
    query::{QuerySpec, Queryable, check_criteria, select},
};
use crate::{
    ControlPlane,
    model::{ContractDefinition, Criterion},
};

const TYPE: &str = "ContractDefinition";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/contractdefinitions", post(create).put(update))
        .route("/participants/{context}/contractdefinitions/request", post(query))
        .route("/participants/{context}/contractdefinitions/{id}", get(show).delete(remove))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionDocument {
    #[serde(rename = "@id", default)]
    id: Option<ContractDefinitionId>,
    access_policy_id: PolicyDefinitionId,
    contract_policy_id: PolicyDefinitionId,
    #[serde(default)]
    assets_selector: Vec<Criterion>,
    #[serde(default)]
    private_properties: Map<String, Value>,
}

impl Described for DefinitionDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

impl DefinitionDocument {
    fn into_definition(
        self,
        id: ContractDefinitionId,
        created_at: Timestamp,
    ) -> Result<ContractDefinition, Rejection> {
        check_criteria("/assetsSelector", &self.assets_selector)?;
        Ok(ContractDefinition {
            id,
            access_policy: self.access_policy_id,
            contract_policy: self.contract_policy_id,
            selector: self.assets_selector,
            private_properties: self.private_properties,
            created_at,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionBody<'a> {
    #[serde(rename = "@id")]
    id: &'a ContractDefinitionId,
    access_policy_id: &'a PolicyDefinitionId,
    contract_policy_id: &'a PolicyDefinitionId,
    assets_selector: Vec<CriterionBody<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    private_properties: &'a Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct CriterionBody<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(flatten)]
    criterion: &'a Criterion,
}

fn shown(definition: &ContractDefinition) -> Shown<DefinitionBody<'_>> {
    let selector = definition.selector.iter();
    let body = DefinitionBody {
        id: &definition.id,
        access_policy_id: &definition.access_policy,
        contract_policy_id: &definition.contract_policy,
        assets_selector: selector.map(|criterion| CriterionBody { kind: "Criterion", criterion }).collect(),
        private_properties: &definition.private_properties,
    };
    Shown::new(TYPE, body)
}

impl Queryable for ContractDefinition {
    const PATHS: &'static [&'static str] =
        &["id", "accessPolicyId", "contractPolicyId", "createdAt", "privateProperties.", "assetsSelector."];

    fn at(&self, path: &str) -> Option<Value> {
        match path {
            "id" => Some(self.id.as_str().into()),
            "accessPolicyId" => Some(self.access_policy.as_str().into()),
            "contractPolicyId" => Some(self.contract_policy.as_str().into()),
            "createdAt" => Some(self.created_at.as_millis().into()),
            _ => match path.strip_prefix("assetsSelector.") {
                Some(member) => Some(self.selector.iter().filter_map(|one| selector_at(one, member)).collect()),
                None => self.private_properties.get(path.strip_prefix("privateProperties.")?).cloned(),
            },
        }
    }
}

fn selector_at(criterion: &Criterion, member: &str) -> Option<Value> {
    match member {
        "operandLeft" => Some(criterion.operand_left.as_str().into()),
        "operator" => Some(criterion.operator.as_str().into()),
        "operandRight" => Some(criterion.operand_right.clone()),
        _ => None,
    }
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsWrite>,
    Creation(document, idempotency): Creation<DefinitionDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let key = own.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    present::participant(&mut transaction, &own.scope).await?;
    let id = document.id.clone().unwrap_or_else(|| {
        let (ms, random) = plane.environment.id_parts();
        ContractDefinitionId::from_parts(ms, random)
    });
    let now = transaction.now();
    let definition = document.into_definition(id, now)?;
    transaction.insert(&definition);
    tell(&mut transaction, &own.scope, Changed::Definition(definition.id.as_str()), "created");
    let reply = created(definition.id.as_str(), now);
    let done = idempotency.conclude((&plane.store, &own.scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, definition.id.as_str()))?)
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsWrite>,
    Document(document): Document<DefinitionDocument>,
) -> Outcome {
    let id = document.id.clone();
    let id = id.ok_or_else(|| Rejection::invalid("/@id", "an update names its contract definition by '@id'"))?;
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<ContractDefinition>(id.as_str()).await?;
    let loaded = loaded.ok_or_else(|| not_found(TYPE, id.as_str()))?;
    let next = document.into_definition(id, loaded.created_at)?;
    transaction.save(&loaded, &next);
    tell(&mut transaction, &own.scope, Changed::Definition(next.id.as_str()), "updated");
    transaction.commit().await?;
    Ok(done())
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let found = select::<ContractDefinition>(&mut transaction, &spec).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsRead>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let definition = plane.store.begin(&own.scope).load::<ContractDefinition>(&id).await?;
    Ok(ok(&shown(definition.ok_or_else(|| not_found(TYPE, &id))?.value())))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsWrite>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<ContractDefinition>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    transaction.delete(&loaded);
    tell(&mut transaction, &own.scope, Changed::Definition(&id), "deleted");
    transaction.commit().await?;
    Ok(done())
}
