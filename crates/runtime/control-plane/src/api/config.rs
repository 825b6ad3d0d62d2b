//! `…/participants/{context}/config`: configuration entries. The values of private ones lie in the vault and are
//! never shown again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Router, extract::State, routing::get};
use heddle_ids::ParticipantContextId;
use heddle_store::Transaction;
use heddle_vault::{Secret, VaultError};
use heddle_web::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    answer::{Outcome, Shown, done, ok},
    document::{Described, Document},
    guard::{ConfigAdmin, Own},
    present,
};
use crate::{ControlPlane, model::ParticipantContext};

const TYPE: &str = "ParticipantContextConfig";
/// Most entries, private ones included.
const ENTRIES_MAX: usize = 500;
/// Longest name of an entry, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// What stands for a value that is not shown.
const HIDDEN: &str = "********";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new().route("/participants/{context}/config", get(show).put(replace).patch(merge))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigDocument {
    entries: Map<String, Value>,
    #[serde(default)]
    private_entries: Map<String, Value>,
}

impl Described for ConfigDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigBody<'a> {
    #[serde(rename = "@id")]
    id: &'a ParticipantContextId,
    entries: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    private_entries: BTreeMap<&'a str, &'static str>,
}

/// What becomes of entries: a text is their new value, nothing takes them away.
type Changes = BTreeMap<String, Option<String>>;

fn changes(member: &str, entries: Map<String, Value>) -> Result<Changes, Rejection> {
    let mut changes = Changes::new();
    for (name, value) in entries {
        let pointer = format!("/{member}/{}", name.replace('~', "~0").replace('/', "~1"));
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            let message = format!("a name has 1 to {NAME_BYTES_MAX} bytes and no control characters");
            return Err(Rejection::invalid(pointer, message));
        }
        let value = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            _ => return Err(Rejection::invalid(pointer, "expected a text")),
        };
        changes.insert(name, value);
    }
    Ok(changes)
}

async fn show(State(plane): State<Arc<ControlPlane>>, own: Own<ConfigAdmin>) -> Outcome {
    let context = present::participant(&mut plane.store.begin(&own.scope), &own.scope).await?;
    let body = ConfigBody {
        id: &context.id,
        entries: &context.entries,
        private_entries: context.private_entries.iter().map(|name| (name.as_str(), HIDDEN)).collect(),
    };
    Ok(ok(&Shown::new(TYPE, body)))
}

async fn replace(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<ConfigAdmin>,
    Document(document): Document<ConfigDocument>,
) -> Outcome {
    let mut values = document.entries.values().chain(document.private_entries.values());
    if values.any(Value::is_null) {
        let message = "Null values are not allowed when setting a configuration";
        return Err(Rejection::invalid("/entries", message).into());
    }
    change(&plane, &own, document, true).await
}

/// A merge (RFC 7396): what is not named stays, null takes away.
async fn merge(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<ConfigAdmin>,
    Document(document): Document<ConfigDocument>,
) -> Outcome {
    change(&plane, &own, document, false).await
}

async fn change(
    plane: &ControlPlane,
    own: &Own<ConfigAdmin>,
    document: ConfigDocument,
    all: bool,
) -> Outcome {
    let public = changes("entries", document.entries)?;
    let private = changes("privateEntries", document.private_entries)?;
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = present::participant(&mut transaction, &own.scope).await?;
    let mut next = loaded.value().clone();
    if all {
        next.entries.clear();
        next.private_entries.clear();
    }
    for (name, value) in public {
        match value {
            Some(value) => next.entries.insert(name, value),
            None => next.entries.remove(&name),
        };
    }
    next.private_entries = keep_private(plane, &mut transaction, next.private_entries, private).await?;
    if next.entries.len() + next.private_entries.len() > ENTRIES_MAX {
        return Err(Rejection::invalid("/entries", format!("at most {ENTRIES_MAX} entries are kept")).into());
    }
    transaction.save(&loaded, &next);
    transaction.commit().await?;
    forget(plane, own, &loaded, &next).await?;
    Ok(done())
}

/// Stores the values of private entries in the same commit; gives the names that there are then.
async fn keep_private(
    plane: &ControlPlane,
    transaction: &mut Transaction<'_>,
    before: Vec<String>,
    changes: Changes,
) -> Result<Vec<String>, Rejection> {
    let mut names: BTreeSet<String> = before.into_iter().collect();
    for (name, value) in changes {
        let Some(value) = value else {
            names.remove(&name);
            continue;
        };
        let (alias, secret) = (ParticipantContext::private_alias(&name), Secret::from_text(value));
        plane.vault.store_secret_in(transaction, &alias, &secret).await.map_err(unkept)?;
        names.insert(name);
    }
    Ok(names.into_iter().collect())
}

/// What is named no more is forgotten after the commit: should that fail, nothing refers to it.
async fn forget(
    plane: &ControlPlane,
    own: &Own<ConfigAdmin>,
    before: &ParticipantContext,
    after: &ParticipantContext,
) -> Result<(), Rejection> {
    for name in before.private_entries.iter().filter(|name| !after.private_entries.contains(name)) {
        plane
            .vault
            .delete_secret(&own.scope, &ParticipantContext::private_alias(name))
            .await
            .map_err(unkept)?;
    }
    Ok(())
}

/// A secret that the vault does not take.
pub(super) fn unkept(error: VaultError) -> Rejection {
    match error {
        VaultError::Store(error) => error.into(),
        error @ VaultError::TooLarge { .. } => Rejection::invalid("", error.to_string()),
        error => Rejection::internal(&error),
    }
}
