//! Telling everything that runs that it is time to stop.

use std::sync::Arc;

use tokio::sync::watch;

/// The side that stops. Clones stop the same things. Dropping it without [`Stop::stop`] stops nothing.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

/// The side that is stopped. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Both sides.
    #[must_use]
    pub fn pair() -> (Stop, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stop(Arc::new(sender)), Self(receiver))
    }

    /// Returns when it is time to stop.
    pub async fn requested(mut self) {
        if self.0.wait_for(|stopping| *stopping).await.is_err() {
            // The other side is gone without having said so: nobody can stop us any more.
            std::future::pending::<()>().await;
        }
    }

    /// Whether it is time to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}

impl Stop {
    /// It is time to stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
