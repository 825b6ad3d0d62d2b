//! A clock that a test can move: so tokens that were good are expired.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use heddle_clock::{Clock, Environment, SystemClock, SystemRng, Timestamp};

/// The machine's clock, ahead by what it was moved.
#[derive(Clone, Default)]
pub struct MovableClock(Arc<AtomicI64>);

impl MovableClock {
    /// An environment that goes by it.
    pub fn environment(&self) -> Environment {
        Environment::new(Arc::new(self.clone()), Arc::new(SystemRng))
    }

    /// Moves it ahead.
    pub fn pass(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).expect("a short time");
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() + self.0.load(Ordering::SeqCst))
    }
}
