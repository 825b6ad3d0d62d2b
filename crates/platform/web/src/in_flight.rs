//! How many requests a surface works on at a time.
//!
//! Each surface has a limit of its own: with a shared one a Dataspace Protocol request that waits for a
//! presentation on the same listener could take the last place, and both would wait for ever.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one surface. Clones share them.
#[derive(Debug, Clone)]
pub struct InFlight {
    places: Arc<Semaphore>,
}

/// One taken place; given back when dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl InFlight {
    /// At most `requests_max` requests at a time. A request counts until its handler has answered; a body that
    /// streams after that does not.
    #[must_use]
    pub fn new(requests_max: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(requests_max.min(Semaphore::MAX_PERMITS))) }
    }

    /// A place, unless all are taken. Nobody queues: a caller that is told to come back costs less than one
    /// that waits.
    #[must_use]
    pub fn enter(&self) -> Option<Place> {
        self.places.clone().try_acquire_owned().ok().map(Place)
    }
}
