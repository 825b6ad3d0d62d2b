//! Looking at the directory: at the start, at first sight of a flow, and when something has happened.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use heddle_store::StoreError;
use heddle_web::Shutdown;
use tokio::time::{Instant, sleep, timeout};

use super::{
    DIRECTORY, FlowTable, LiveFlow, OVER_KEPT, RECHECK_EVERY, TRUST_MAX,
    slot::{Look, Slot},
};

/// How often the table is tidied: ended flows are forgotten, those of which nobody has heard for long compared.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Rows that are read at a time.
const PAGE_ROWS: u32 = 1000;

impl FlowTable {
    /// Reads all rows, at the start.
    pub(crate) async fn load(&self) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let look = self.look();
            let rows = self.store.published(DIRECTORY, after.as_deref(), PAGE_ROWS).await?;
            for row in &rows {
                if let Some(live) = LiveFlow::of_row(row)? {
                    self.take(&row.key, live);
                    self.slot(&row.key).iter().for_each(|slot| slot.looked(look));
                }
            }
            match rows.last() {
                Some(last) if rows.len() == PAGE_ROWS as usize => after = Some(last.key.clone()),
                _ => return Ok(()),
            }
        }
    }

    /// Follows what happens until the server stops, so that a download of a flow that another replica has closed
    /// is cut off. Only flows of which data is being sent are looked at here.
    pub(crate) async fn follow(&self, shutdown: Shutdown) {
        let mut events = self.events.clone();
        let mut stopping = std::pin::pin!(shutdown.requested());
        let mut swept = Instant::now();
        loop {
            tokio::select! {
                () = &mut stopping => return,
                moved = timeout(TRUST_MAX, events.changed()) => if let Ok(Err(_)) = moved {
                    // The store is gone.
                    return;
                },
            }
            let mut compared = self.compare_those(|slot, events| slot.is_busy(events, TRUST_MAX)).await;
            if swept.elapsed() >= SWEEP_EVERY {
                swept = Instant::now();
                self.forget_ended();
                compared = compared.and(self.compare_those(|slot, _| slot.is_old(OVER_KEPT)).await);
            }
            if let Err(error) = compared {
                tracing::warn!(component = "data-plane", action = "follow", %error, "live flows were not compared");
            }
            tokio::select! {
                () = &mut stopping => return,
                () = sleep(RECHECK_EVERY) => {}
            }
        }
    }

    /// Compares the slots that are `wanted`, which is asked with the present count of events.
    pub(super) async fn compare_those(&self, wanted: impl Fn(&Slot, u64) -> bool) -> Result<(), StoreError> {
        let events = self.look().events;
        for (id, slot) in self.all(|slot| wanted(slot, events)) {
            self.compare(&id, &slot, false).await?;
        }
        Ok(())
    }

    fn all(&self, wanted: impl Fn(&Slot) -> bool) -> Vec<(Box<str>, Arc<Slot>)> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let wanted = slots.iter().filter(|(_, slot)| wanted(slot));
        wanted.map(|(id, slot)| (id.clone(), slot.clone())).collect()
    }

    fn look(&self) -> Look {
        Look { events: *self.events.borrow(), at: Instant::now() }
    }

    /// Compares a slot with its row. A row that is gone means that the flow is over. Those who could not be
    /// admitted otherwise (`stranger`) share a few places.
    pub(super) async fn compare(&self, id: &str, slot: &Slot, stranger: bool) -> Result<(), StoreError> {
        // It is never closed; without a place there is only less order.
        let _place = if stranger { self.strangers.acquire().await.ok() } else { None };
        let look = self.look();
        match self.row(id).await? {
            Some(live) => slot.learn(live),
            None => slot.end(Instant::now()),
        }
        slot.looked(look);
        Ok(())
    }

    /// A flow that this process has not seen yet: another replica has begun it, or nobody has.
    pub(super) async fn first_sight(&self, id: &str) -> Result<Option<Arc<Slot>>, StoreError> {
        let _place = self.strangers.acquire().await.ok();
        let look = self.look();
        let Some(live) = self.row(id).await? else { return Ok(None) };
        self.take(id, live);
        let slot = self.slot(id);
        slot.iter().for_each(|slot| slot.looked(look));
        Ok(slot)
    }

    async fn row(&self, id: &str) -> Result<Option<LiveFlow>, StoreError> {
        let row = self.store.lookup(DIRECTORY, id).await?;
        row.as_ref().map_or(Ok(None), LiveFlow::of_row)
    }

    fn forget_ended(&self) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| slot.over_since().is_none_or(|end| end.elapsed() < OVER_KEPT));
    }
}
