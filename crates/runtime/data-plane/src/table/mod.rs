//! The live flows in memory: what opens a flow, and when it stops being open.
//!
//! Every commit that changes a flow writes its row of the directory, and this process's table takes the change over
//! before the control plane gets its answer. So after a suspension that was signalled here nothing opens, and what
//! was open is cut off.
//!
//! Other replicas learn of it by the event in the same commit: it moves the store's signal everywhere, and a slot
//! that was not looked at since the signal moved is compared with its row before it admits anybody, at most every
//! [`RECHECK_EVERY`]; those who are sending data are told within the same time ([`FlowTable::follow`]). The same
//! covers a request that is dropped between its commit and the table. Without any signal a slot is trusted for
//! [`TRUST_MAX`], should one have been lost. A token that does not fit is never refused by old knowledge, only after
//! a look, so a consumer may come to any replica the moment it has its address.
//!
//! Why the order of news does not matter: values carry a revision that grows with every change, and the end of a
//! flow is final (the machine leaves no terminal state). An ended flow stays in the table for [`OVER_KEPT`], far
//! longer than a row that was read before the end can be on its way.

mod live;
mod look;
mod slot;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use heddle_ids::{AssetId, DataFlowId, ParticipantContextId};
use heddle_store::{Store, StoreError};
use heddle_tenancy::{FlowPermit, ScopeIssuer};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

use crate::{
    digest::sha256_hex,
    flow::AccessToken,
    source::{ReadySource, SourceReader},
};
use slot::{Admitted, Slot, Verdict};

pub(crate) use live::{DIRECTORY, LiveFlow};

/// A slot that admits is compared with the directory at most this often.
const RECHECK_EVERY: Duration = Duration::from_millis(500);
/// A slot is trusted no longer than this without a look, signal or not.
const TRUST_MAX: Duration = Duration::from_secs(30);
/// How long an ended flow is remembered.
const OVER_KEPT: Duration = Duration::from_secs(3600);
/// Most looks at a time for those who cannot be admitted without one.
const STRANGERS_MAX: usize = 16;

/// The table.
pub(crate) struct FlowTable {
    store: Store,
    sources: SourceReader,
    scopes: Arc<ScopeIssuer>,
    slots: RwLock<HashMap<Box<str>, Arc<Slot>>>,
    /// Moves with every event of the store, those of other replicas among them.
    events: watch::Receiver<u64>,
    strangers: Semaphore,
    /// Grows when a source changes: what was read before is not kept.
    source_changes: AtomicU64,
}

/// An opened flow.
pub(crate) struct Opened {
    /// Leave to move its bytes.
    pub(crate) permit: FlowPermit,
    /// The dataset, and where its bytes come from.
    pub(crate) dataset: AssetId,
    pub(crate) source: Arc<ReadySource>,
    /// Turns false when the flow stops being open.
    pub(crate) open: watch::Receiver<bool>,
}

/// Why a flow is not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Closed {
    /// There is no such flow, it is not open, or the token is not its own: the same for all.
    #[error("the token does not open this flow")]
    Refused,
    /// The flow is open, but the source of its dataset was removed.
    #[error("the dataset of this flow has no source any more")]
    NoSource,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FlowTable {
    pub(crate) fn new(store: Store, sources: SourceReader, scopes: Arc<ScopeIssuer>) -> Self {
        let events = store.signals().events();
        Self {
            store,
            sources,
            scopes,
            slots: RwLock::default(),
            events,
            strangers: Semaphore::new(STRANGERS_MAX),
            source_changes: AtomicU64::new(0),
        }
    }

    /// Takes over what was committed, or read, about a flow.
    pub(crate) fn take(&self, id: &str, live: LiveFlow) {
        if let Some(slot) = self.slot(id) {
            return slot.learn(live);
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        match slots.get(id) {
            Some(slot) => slot.learn(live),
            None => drop(slots.insert(id.into(), Arc::new(Slot::new(live)))),
        }
    }

    /// A flow is over: nothing opens it any more. `last` is what it was, should the table not know it yet.
    pub(crate) fn end(&self, id: &str, last: LiveFlow) {
        self.take(id, last);
        if let Some(slot) = self.slot(id) {
            slot.end(Instant::now());
        }
    }

    /// All flows of a participant are over, as far as they are known here.
    pub(crate) fn end_all_of(&self, participant: &ParticipantContextId) {
        let (slots, now) = (self.slots.read().unwrap_or_else(PoisonError::into_inner), Instant::now());
        slots.values().filter(|slot| slot.is_of(participant)).for_each(|slot| slot.end(now));
    }

    /// Opens a flow with an access token.
    pub(crate) async fn open(&self, id: &str, token: &str) -> Result<Opened, Closed> {
        if !AccessToken::is_well_formed(token) {
            return Err(Closed::Refused);
        }
        let presented = sha256_hex(token.as_bytes());
        let slot = match self.slot(id) {
            Some(slot) => slot,
            None => self.first_sight(id).await?.ok_or(Closed::Refused)?,
        };
        let mut verdict = slot.judge(&presented);
        if !self.is_current(&verdict) {
            self.compare(id, &slot, verdict.admitted.is_none()).await?;
            verdict = slot.judge(&presented);
        }
        let Admitted { live, source, open } = verdict.admitted.ok_or(Closed::Refused)?;
        let flow = DataFlowId::parse(id).map_err(|_| Closed::Refused)?;
        let permit = self.scopes.flow_permit(live.participant.clone(), flow);
        let source = match source {
            Some(source) => source,
            None => self.read_source(&permit, &live.dataset, &slot).await?,
        };
        Ok(Opened { permit, dataset: live.dataset.clone(), source, open })
    }

    /// Whether a verdict may be acted on without another look at the directory.
    fn is_current(&self, verdict: &Verdict) -> bool {
        if verdict.over {
            return true;
        }
        let Some(look) = verdict.looked else { return false };
        let (age, quiet) = (look.at.elapsed(), look.events == *self.events.borrow());
        age < TRUST_MAX && (quiet || (verdict.admitted.is_some() && age < RECHECK_EVERY))
    }

    async fn read_source(
        &self,
        permit: &FlowPermit,
        dataset: &AssetId,
        slot: &Slot,
    ) -> Result<Arc<ReadySource>, Closed> {
        let before = self.source_changes.load(Ordering::SeqCst);
        let source = Arc::new(self.sources.read(permit, dataset).await?.ok_or(Closed::NoSource)?);
        if self.source_changes.load(Ordering::SeqCst) == before {
            slot.keep_source(source.clone());
        }
        Ok(source)
    }

    /// The source of a dataset has changed: its flows read it again.
    pub(crate) fn forget_source(&self, participant: &ParticipantContextId, dataset: &AssetId) {
        self.source_changes.fetch_add(1, Ordering::SeqCst);
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        for slot in slots.values() {
            slot.forget_source(|live| live.participant == *participant && live.dataset == *dataset);
        }
    }

    fn slot(&self, id: &str) -> Option<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}
