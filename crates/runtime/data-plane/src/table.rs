//! The live flows in memory: what opens a flow, and when it stops being open.
//!
//! A row of the directory (kind [`DIRECTORY`]) is written in every commit that changes a flow, and the table of this
//! process takes it over when the commit is done. Other replicas read the row again when an event is signalled, and a
//! permit of a flow that they have not seen yet reads it once. A row that says "not open" always wins.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use heddle_ids::{DataFlowId, ParticipantContextId};
use heddle_store::{DirectoryRow, Store, StoreError};
use heddle_tenancy::{Actor, FlowPermit, ScopeIssuer};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::source::{Origin, Source};

/// Kind of the directory rows of flows.
pub(crate) const DIRECTORY: &str = "data-flow";
/// Rows that are read at a time.
const PAGE_ROWS: u32 = 1000;

/// What the proxy needs to know of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LiveFlow {
    pub(crate) participant: ParticipantContextId,
    pub(crate) dataset: String,
    /// SHA-256 of the access token, in hex; the token itself is nowhere.
    pub(crate) token_sha256: String,
    /// Whether data may flow now.
    pub(crate) open: bool,
}

struct Slot {
    flow: Arc<LiveFlow>,
    /// Read at the first request, so that the following ones touch no database.
    origin: Option<Arc<Origin>>,
    open: watch::Sender<bool>,
}

/// The table.
pub(crate) struct FlowTable {
    store: Store,
    scopes: Arc<ScopeIssuer>,
    slots: RwLock<HashMap<String, Slot>>,
}

/// An opened flow: the permit, what it is about, and a watch that turns false when the flow stops being open.
pub(crate) struct Opened {
    pub(crate) permit: FlowPermit,
    pub(crate) origin: Arc<Origin>,
    pub(crate) dataset: String,
    pub(crate) open: watch::Receiver<bool>,
}

impl FlowTable {
    pub(crate) fn new(store: Store, scopes: Arc<ScopeIssuer>) -> Self {
        Self { store, scopes, slots: RwLock::new(HashMap::new()) }
    }

    /// The directory row of a flow.
    pub(crate) fn row(id: &DataFlowId, flow: &LiveFlow) -> DirectoryRow {
        DirectoryRow::new(DIRECTORY, id.as_str(), flow)
    }

    /// Takes over what was committed about a flow.
    pub(crate) fn take(&self, id: &str, flow: LiveFlow) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let open = flow.open;
        match slots.get_mut(id) {
            Some(slot) => {
                slot.flow = Arc::new(flow);
                slot.open.send_replace(open);
            }
            None => {
                let slot = Slot { flow: Arc::new(flow), origin: None, open: watch::Sender::new(open) };
                slots.insert(id.to_owned(), slot);
            }
        }
    }

    /// A flow is over: nothing opens it any more.
    pub(crate) fn remove(&self, id: &str) {
        let slot = self.slots.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(slot) = slot {
            slot.open.send_replace(false);
        }
    }

    /// Reads all rows, at the start and when another replica may have changed some.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let mut seen = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let rows = self.store.published(DIRECTORY, after.as_deref(), PAGE_ROWS).await?;
            for row in &rows {
                self.take(&row.key, row.value()?);
                seen.push(row.key.clone());
            }
            match rows.last() {
                Some(last) if rows.len() == PAGE_ROWS as usize => after = Some(last.key.clone()),
                _ => break,
            }
        }
        let known: Vec<String> =
            self.slots.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        for id in known {
            // A flow that was begun while we read is not in `seen`, but its row is there.
            if seen.binary_search(&id).is_err() && self.store.lookup(DIRECTORY, &id).await?.is_none() {
                self.remove(&id);
            }
        }
        Ok(())
    }

    /// Opens a flow with an access token, if it is open and the token is its own. What this process has not seen
    /// yet is looked up once.
    pub(crate) async fn open(&self, id: &str, token: &str) -> Result<Option<Opened>, StoreError> {
        if !self.knows(id) {
            match self.store.lookup(DIRECTORY, id).await? {
                Some(row) => self.take(&row.key, row.value()?),
                None => return Ok(None),
            }
        }
        let Some((flow, origin, open)) = self.admit(id, token) else { return Ok(None) };
        let origin = match origin {
            Some(origin) => origin,
            None => match self.load_origin(&flow).await? {
                Some(origin) => self.keep_origin(id, origin),
                None => return Ok(None),
            },
        };
        let Ok(flow_id) = DataFlowId::parse(id) else { return Ok(None) };
        let permit = self.scopes.flow_permit(flow.participant.clone(), flow_id);
        Ok(Some(Opened { permit, origin, dataset: flow.dataset.clone(), open }))
    }

    fn admit(&self, id: &str, token: &str) -> Option<(Arc<LiveFlow>, Option<Arc<Origin>>, watch::Receiver<bool>)> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get(id)?;
        let same = token_sha256(token).as_bytes().ct_eq(slot.flow.token_sha256.as_bytes());
        let admitted = bool::from(same) && slot.flow.open;
        admitted.then(|| (slot.flow.clone(), slot.origin.clone(), slot.open.subscribe()))
    }

    async fn load_origin(&self, flow: &LiveFlow) -> Result<Option<Origin>, StoreError> {
        let scope = self.scopes.participant(flow.participant.clone(), Actor::new("data plane"));
        let source = self.store.begin(&scope).load::<Source>(&flow.dataset).await?;
        Ok(source.map(|source| source.into_value().origin))
    }

    fn keep_origin(&self, id: &str, origin: Origin) -> Arc<Origin> {
        let origin = Arc::new(origin);
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get_mut(id) {
            slot.origin = Some(origin.clone());
        }
        origin
    }

    /// The source of a dataset has changed: its flows read it again.
    pub(crate) fn forget_origin(&self, participant: &ParticipantContextId, dataset: &str) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        for slot in slots.values_mut() {
            if slot.flow.participant == *participant && slot.flow.dataset == dataset {
                slot.origin = None;
            }
        }
    }

    fn knows(&self, id: &str) -> bool {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }
}

/// The digest by which a token is recognised.
pub(crate) fn token_sha256(token: &str) -> String {
    digest(&SHA256, token.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
