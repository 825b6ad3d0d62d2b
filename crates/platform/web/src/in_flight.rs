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
    requests_max: usize,
}

/// One taken place; given back when dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl InFlight {
    /// At most `requests_max` requests at a time. A request counts until its handler has answered; a body that
    /// streams after that does not.
    #[must_use]
    pub fn new(requests_max: usize) -> Self {
        let requests_max = requests_max.min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(requests_max)), requests_max }
    }

    /// Shows the limit as that of `surface`.
    #[expect(clippy::cast_precision_loss, reason = "nobody allows that many requests")]
    pub(crate) fn tell(&self, surface: &'static str) {
        metrics::gauge!("heddle_http_in_flight_max", "surface" => surface).set(self.requests_max as f64);
    }

    /// A place, unless all are taken. Nobody queues: a caller that is told to come back costs less than one
    /// that waits.
    #[must_use]
    pub fn enter(&self) -> Option<Place> {
        self.places.clone().try_acquire_owned().ok().map(Place)
    }
}
