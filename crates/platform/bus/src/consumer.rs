//! Readers of events that have a name, and a position that is stored with what they did.

use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use heddle_store::{Aggregate, Event, EventCursor, Loaded, Store, StoreError, Transaction};
use serde::{Deserialize, Serialize};

use crate::{Audience, TROUBLE_WAIT};

/// Most events that are handled in one commit.
const BATCH_EVENTS_MAX: u32 = 64;

/// What a consumer does with an event.
#[async_trait]
pub trait EventHandler: Send + Sync {
    /// Puts what follows from `event` into `transaction`, which stores the consumer's position too. What happens in
    /// the database happens once; everything else may happen again, because a commit that fails is made again from
    /// its first event on. What must reach somebody outside is better a job that is enqueued here.
    ///
    /// # Errors
    /// `Stale` and `Unavailable` lead to another attempt, every other one ends the consumer: no event is passed over.
    async fn handle(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), StoreError>;
}

/// How far a consumer is; a row of the owner whose events it reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    name: String,
    place: u64,
}

impl Aggregate for Position {
    const KIND: &'static str = "event-consumer";

    fn id(&self) -> &str {
        &self.name
    }
}

/// A consumer. Each replica may run one of the same name: they share the position, and each event is handled by the
/// one whose commit is first.
pub struct Consumer {
    store: Store,
    name: String,
    audience: Audience,
    begin: EventCursor,
    handler: Arc<dyn EventHandler>,
}

impl Consumer {
    /// The consumer `name` of the events of `audience`: from the first one on, where it has no position yet.
    #[must_use]
    pub fn new(
        store: Store,
        name: impl Into<String>,
        audience: Audience,
        handler: Arc<dyn EventHandler>,
    ) -> Self {
        Self { store, name: name.into(), audience, begin: EventCursor::default(), handler }
    }

    /// Begins behind `place`, where it has no position yet.
    #[must_use]
    pub fn beginning_after(mut self, place: EventCursor) -> Self {
        self.begin = place;
        self
    }

    /// Handles events in their order until `stop` returns. A database that is not available is waited for.
    ///
    /// # Errors
    /// Those of the handler, and of an event or a position that cannot be read. The position is before that event.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) -> Result<(), StoreError> {
        let mut stop = pin!(stop);
        let mut signal = self.store.signals().events();
        loop {
            signal.mark_unchanged();
            let step = tokio::select! {
                () = &mut stop => return Ok(()),
                step = self.step() => step,
            };
            let wait = match step {
                Ok(Step::Moved) => continue,
                // Another replica was faster.
                Err(StoreError::Duplicate { kind, .. }) if kind == Position::KIND => continue,
                Err(StoreError::Stale { .. }) => continue,
                Ok(Step::Nothing) => self.store.signals().safety_net(),
                Err(error) if error.is_retryable() => {
                    tracing::warn!(component = "bus", action = "consume", consumer = self.name, %error, "a consumer waits");
                    TROUBLE_WAIT
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                () = &mut stop => return Ok(()),
                // Either outcome of the wait leads to the next look.
                _ = tokio::time::timeout(wait, signal.changed()) => {}
            }
        }
    }

    /// Handles what there is, up to a batch of it.
    async fn step(&self) -> Result<Step, StoreError> {
        let scope = self.audience.scope();
        let known = self.position(&mut self.store.begin(scope)).await?;
        let after = known.as_ref().map_or(self.begin, |known| EventCursor(known.place));
        // No snapshot is open here: it would hold a connection while another one is waited for.
        let events = self.audience.read(&self.store, after, BATCH_EVENTS_MAX).await?;
        let Some(last) = events.last() else { return Ok(Step::Nothing) };
        let mut transaction = self.store.begin(scope);
        let loaded = self.position(&mut transaction).await?;
        if loaded.as_ref().map(Loaded::version) != known.as_ref().map(Loaded::version) {
            return Ok(Step::Moved);
        }
        // Before what the handler writes: of two replicas the slower one fails here, and not for what the faster one did.
        let next = Position { name: self.name.clone(), place: last.cursor.0 };
        match &loaded {
            Some(loaded) => transaction.save(loaded, &next),
            None => transaction.insert(&next),
        }
        for event in &events {
            self.handler.handle(event, &mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(Step::Moved)
    }

    async fn position(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Option<Loaded<Position>>, StoreError> {
        transaction.load(&self.name).await
    }
}

/// What there was to do.
enum Step {
    /// Something, and there may be more.
    Moved,
    /// Nothing.
    Nothing,
}
