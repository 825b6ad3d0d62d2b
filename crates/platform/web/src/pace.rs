//! Whether bytes move fast enough, while somebody waits for them to move.
//!
//! A limit on the time between two bytes is not enough: whoever sends or takes one byte each time just before it ends
//! holds a connection for ever. So in each window of waiting some bytes must have moved. Only waiting counts: a stream
//! of events that is silent because nothing happens waits for nobody.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// The least pace of one direction.
#[derive(Debug)]
pub(crate) struct Pace {
    window: Duration,
    bytes_min: usize,
    /// Since when somebody waits without a break.
    waiting_since: Option<Instant>,
    /// Waited in this window before that.
    waited: Duration,
    moved: usize,
    alarm: Option<Pin<Box<Sleep>>>,
}

/// It is too slow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooSlow;

impl Pace {
    pub fn new(window: Duration, bytes_min: usize) -> Self {
        Self { window, bytes_min, waiting_since: None, waited: Duration::ZERO, moved: 0, alarm: None }
    }

    /// Bytes have moved.
    pub fn moved(&mut self, bytes: usize) {
        self.moved = self.moved.saturating_add(bytes);
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
        }
        if self.waited >= self.window && self.moved >= self.bytes_min {
            self.begin();
        }
    }

    /// Nothing can be moved now, and somebody waits; wakes him when it has been too slow.
    pub fn waiting(&mut self, context: &mut Context<'_>) -> Poll<TooSlow> {
        loop {
            let since = *self.waiting_since.get_or_insert_with(Instant::now);
            let end = since + self.window.saturating_sub(self.waited);
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(end)));
            if alarm.deadline() != end {
                alarm.as_mut().reset(end);
            }
            if alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if self.moved < self.bytes_min {
                return Poll::Ready(TooSlow);
            }
            self.begin();
        }
    }

    fn begin(&mut self) {
        (self.waiting_since, self.waited, self.moved) = (None, Duration::ZERO, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures::FutureExt;
    use tokio::time::{advance, timeout};

    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    async fn too_slow(pace: &mut Pace) -> TooSlow {
        poll_fn(|context| pace.waiting(context)).await
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_too_slow_after_a_window() {
        let mut pace = Pace::new(WINDOW, 100);
        let begun = Instant::now();
        too_slow(&mut pace).await;
        assert_eq!(begun.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_is_too_slow_and_a_trickle_is_not() {
        for (bytes, enough) in [(1, false), (20, true)] {
            let mut pace = Pace::new(WINDOW, 100);
            let mut failed = false;
            for _ in 0..100 {
                failed |= timeout(Duration::from_secs(10), too_slow(&mut pace)).await.is_ok();
                pace.moved(bytes);
            }
            assert_eq!(failed, !enough, "{bytes} bytes each ten seconds");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_waits_does_not_count() {
        let mut pace = Pace::new(WINDOW, 100);
        for _ in 0..100 {
            assert!(too_slow(&mut pace).now_or_never().is_none());
            pace.moved(1);
            advance(Duration::from_secs(50)).await;
        }
    }
}
