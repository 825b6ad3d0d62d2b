//! What is stored: documents with a version and a few promoted columns.

use std::borrow::Cow;

use heddle_clock::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Row, StoreError, filter::Properties};

/// A thing that is loaded, changed and saved as a whole.
pub trait Aggregate: Serialize + DeserializeOwned + Send + Sync {
    /// The kind's name: stable, lower case, one per aggregate type, such as `negotiation`.
    const KIND: &'static str;

    /// The id: unique per owner and kind.
    fn id(&self) -> &str;

    /// The columns that queries and uniqueness need. All of them are derived from the value.
    fn columns(&self) -> Columns {
        Columns::default()
    }

    /// What it can be filtered and sorted by, at the paths that clients name. `None`, always, for a kind that nobody
    /// filters. All of it is derived from the value; when it changes with a release, say so in [`crate::Indexed`].
    fn properties(&self) -> Option<Properties> {
        None
    }
}

/// Promoted columns: a copy, beside the document, of what is searched by. All optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The state of a life cycle.
    pub state: Option<Cow<'static, str>>,
    /// The other party of a process. A peer scope sees only rows that name its peer, or nobody.
    pub counter_party: Option<String>,
    /// The other party's id of the same process, or a holder's or issuer's id of it.
    pub correlation: Option<String>,
    /// One aggregate that this one refers to (the asset of a negotiation, the agreement of a transfer).
    pub reference: Option<String>,
    /// A further key, unique per owner and kind.
    pub unique_key: Option<String>,
    /// When something is due for it.
    pub due_at: Option<Timestamp>,
}

/// An aggregate as it was read, with the version that a save expects. Not `Clone`: one load, one save.
#[derive(Debug)]
pub struct Loaded<A> {
    value: A,
    version: u64,
    created_at: Timestamp,
    unknown: Vec<(Vec<String>, Value)>,
}

impl<A: Aggregate> Loaded<A> {
    pub(crate) fn from_row(row: &Row) -> Result<Self, StoreError> {
        let mut paths = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_str(&row.document);
        let value =
            serde_ignored::deserialize(&mut deserializer, |path| paths.push(keys(&path))).map_err(|e| {
                StoreError::Unreadable { kind: A::KIND.to_owned(), id: row.id.clone(), reason: e.to_string() }
            })?;
        let unknown = if paths.is_empty() { Vec::new() } else { pick(&row.document, paths) };
        Ok(Self { value, version: row.version, created_at: row.created_at, unknown })
    }

    /// The value.
    pub fn value(&self) -> &A {
        &self.value
    }

    /// The version that was read; the first is 1.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When the row was inserted.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The value alone, for readers that will not save.
    pub fn into_value(self) -> A {
        self.value
    }

    /// The document of `next`, with the members that this release does not know kept.
    pub(crate) fn document_of(&self, next: &A) -> String {
        if self.unknown.is_empty() {
            return document(next);
        }
        let mut json = serde_json::to_value(next).expect("an aggregate serialises");
        for (path, value) in &self.unknown {
            graft(&mut json, path, value);
        }
        json.to_string()
    }
}

impl<A> std::ops::Deref for Loaded<A> {
    type Target = A;
    fn deref(&self) -> &A {
        &self.value
    }
}

pub(crate) fn document<A: Aggregate>(value: &A) -> String {
    serde_json::to_string(value).expect("an aggregate serialises")
}

/// The object keys on the way to an ignored member. Members inside sequences are left out: an element has
/// no identity that would survive a rewrite.
fn keys(path: &serde_ignored::Path<'_>) -> Vec<String> {
    match path {
        serde_ignored::Path::Root | serde_ignored::Path::Seq { .. } => Vec::new(),
        serde_ignored::Path::Map { parent, key } => {
            let mut keys = keys(parent);
            keys.push(key.clone());
            keys
        }
        serde_ignored::Path::Some { parent }
        | serde_ignored::Path::NewtypeStruct { parent }
        | serde_ignored::Path::NewtypeVariant { parent } => keys(parent),
    }
}

fn pick(document: &str, paths: Vec<Vec<String>>) -> Vec<(Vec<String>, Value)> {
    let Ok(json) = serde_json::from_str::<Value>(document) else { return Vec::new() };
    let at = |path: &[String]| path.iter().try_fold(&json, |value, key| value.get(key)).cloned();
    paths.into_iter().filter_map(|path| at(&path).map(|value| (path, value))).collect()
}

fn graft(json: &mut Value, path: &[String], value: &Value) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut target = json;
    for key in parents {
        // The parent went away with this rewrite, and what it held with it.
        let Some(next) = target.get_mut(key) else { return };
        target = next;
    }
    if let Value::Object(members) = target {
        insert_absent(members, last, value);
    }
}

fn insert_absent(members: &mut Map<String, Value>, key: &str, value: &Value) {
    if !members.contains_key(key) {
        members.insert(key.to_owned(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Thing {
        id: String,
        inner: Inner,
    }

    #[derive(Serialize, Deserialize)]
    struct Inner {
        count: u32,
    }

    impl Aggregate for Thing {
        const KIND: &'static str = "thing";
        fn id(&self) -> &str {
            &self.id
        }
    }

    fn row(document: &str) -> Row {
        Row {
            id: "a".to_owned(),
            version: 3,
            document: document.to_owned(),
            created_at: Timestamp::default(),
        }
    }

    #[test]
    fn members_of_a_newer_release_survive_a_rewrite() {
        let newer = r#"{"id":"a","inner":{"count":1,"unit":"kg"},"colour":{"name":"red"}}"#;
        let loaded = Loaded::<Thing>::from_row(&row(newer)).expect("reads");
        let next = Thing { id: "a".to_owned(), inner: Inner { count: 2 } };
        let json: Value = serde_json::from_str(&loaded.document_of(&next)).expect("json");
        assert_eq!(json["inner"]["count"], 2);
        assert_eq!(json["inner"]["unit"], "kg");
        assert_eq!(json["colour"]["name"], "red");
        assert_eq!(loaded.version(), 3);
    }

    #[test]
    fn an_unreadable_document_says_which_and_why() {
        let error =
            Loaded::<Thing>::from_row(&row(r#"{"id":"a"}"#)).map(|_| ()).expect_err("inner is missing");
        assert!(error.to_string().contains("thing 'a'") && error.to_string().contains("inner"), "{error}");
    }
}
