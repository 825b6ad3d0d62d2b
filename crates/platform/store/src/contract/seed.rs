//! Many documents at once, for tests and measurements of filters.

use heddle_tenancy::Scope;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Aggregate, Batch, Columns, ExpectedVersion, Store, StoreError, Write, filter::Properties};

/// Documents of one commit.
const BATCH: u32 = 1_000;
/// Values of `kind`: 1 of 100 documents has each.
const KINDS: u32 = 100;

/// A document that can be filtered by everything in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// Another party that may see it; others may not, but everybody may see what names none.
    #[serde(default)]
    pub counter_party: Option<String>,
    /// A life cycle's state.
    #[serde(default)]
    pub state: Option<String>,
    /// What it can be filtered by.
    pub body: Value,
}

impl Aggregate for Record {
    const KIND: &'static str = "record";

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Columns {
        Columns {
            counter_party: self.counter_party.clone(),
            state: self.state.clone().map(Into::into),
            ..Columns::default()
        }
    }

    fn properties(&self) -> Option<Properties> {
        Some(Properties::default().with_text("id", &self.id).with("", &self.body))
    }
}

impl Record {
    /// With nothing but an id and a body.
    #[must_use]
    pub fn new(id: &str, body: Value) -> Self {
        Self { id: id.to_owned(), counter_party: None, state: None, body }
    }

    /// The `number`th of the documents that [`records`] stores: like an asset, with a name of its own (`name`), one of
    /// a hundred kinds (`kind`), a price that every thousandth shares (`price`), a list (`tags`), something nested
    /// (`place.city`), and a description of 400 bytes.
    #[must_use]
    pub fn numbered(number: u32) -> Self {
        // Neighbours in the order of ids are none in the order of names and prices.
        let shuffled = u32::try_from(u64::from(number) * 7_919 % 1_000_003).unwrap_or_default();
        let body = json!({
            "name": format!("asset {shuffled:07}"),
            "kind": format!("kind-{:02}", number % KINDS),
            "price": f64::from(shuffled % 1_000) / 4.0,
            "tags": [format!("tag-{}", number % 7), format!("tag-{}", number % 11)],
            "place": {"city": format!("city {}", number % 500)},
            "public": number.is_multiple_of(2),
            "description": format!("{shuffled} {}", "lorem ipsum ".repeat(33)),
        });
        Self::new(&format!("asset-{number:07}"), body)
    }
}

/// Stores the documents `numbers` for the owner of `scope`, a thousand to a commit.
///
/// # Errors
/// As for commits; `Duplicate` when one is there.
pub async fn records(
    store: &Store,
    scope: &dyn Scope,
    numbers: std::ops::Range<u32>,
) -> Result<(), StoreError> {
    let mut next = numbers.start;
    while next < numbers.end {
        let end = numbers.end.min(next + BATCH);
        let writes = (next..end).map(|number| {
            let record = Record::numbered(number);
            Write::Put {
                kind: Record::KIND,
                id: record.id.clone(),
                expected: ExpectedVersion::Absent,
                columns: record.columns(),
                properties: record.properties().map(Properties::into_rows),
                document: crate::aggregate::document(&record),
            }
        });
        let batch = Batch::new(writes.collect(), store.environment().now(), None);
        store.database().commit(scope.access(), batch).await?;
        next = end;
    }
    Ok(())
}
