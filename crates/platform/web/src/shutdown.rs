//! Telling everything that runs that it is time to stop.
//!
//! It comes in two steps. First the process *leaves*: it does all of its work still, says that it is not ready, and lets
//! its connections end one by one, so that whoever distributes requests sends them elsewhere. Then it *stops*.

use std::sync::Arc;

use tokio::sync::watch;

/// How far it has come. Later ones include the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    Leaving,
    Stopping,
}

/// The side that stops. Clones stop the same things. Dropping it without [`Stop::stop`] stops nothing.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<Stage>>);

/// The side that is stopped. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<Stage>);

impl Shutdown {
    /// Both sides.
    #[must_use]
    pub fn pair() -> (Stop, Self) {
        let (sender, receiver) = watch::channel(Stage::Running);
        (Stop(Arc::new(sender)), Self(receiver))
    }

    /// Returns when it is time to stop.
    pub async fn requested(self) {
        self.reached(Stage::Stopping).await;
    }

    /// Returns when the process leaves, or stops.
    pub async fn leaving(self) {
        self.reached(Stage::Leaving).await;
    }

    async fn reached(mut self, stage: Stage) {
        if self.0.wait_for(|reached| *reached >= stage).await.is_err() {
            // The other side is gone without having said so: nobody can stop us any more.
            std::future::pending::<()>().await;
        }
    }

    /// Whether it is time to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() >= Stage::Stopping
    }

    /// Whether the process leaves, or stops: nothing new should come here.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        *self.0.borrow() >= Stage::Leaving
    }
}

impl Stop {
    /// The process leaves: it works on, and is not ready for more.
    pub fn leave(&self) {
        self.reach(Stage::Leaving);
    }

    /// It is time to stop.
    pub fn stop(&self) {
        self.reach(Stage::Stopping);
    }

    fn reach(&self, stage: Stage) {
        self.0.send_if_modified(|reached| {
            let further = stage > *reached;
            *reached = stage.max(*reached);
            further
        });
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn leaving_comes_before_stopping_and_neither_is_taken_back() {
        let (stop, shutdown) = Shutdown::pair();
        assert!(!shutdown.is_leaving() && shutdown.clone().leaving().now_or_never().is_none());
        stop.leave();
        assert!(shutdown.is_leaving() && !shutdown.is_requested());
        shutdown.clone().leaving().await;
        assert!(shutdown.clone().requested().now_or_never().is_none());
        stop.stop();
        stop.leave();
        assert!(shutdown.is_leaving() && shutdown.is_requested());
        shutdown.requested().await;
    }
}
