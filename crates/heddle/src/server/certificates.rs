//! Taking renewed certificates: on SIGHUP at once, and a few seconds after their files have changed.
//!
//! The files are looked at instead of watched. Who renews certificates replaces files, links, or the folder behind a
//! link, sometimes on another machine's disk, and no one way of watching sees all of these.

use std::{sync::Arc, time::Duration};

use heddle_web::{Shutdown, Tls};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::{JoinHandle, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

/// How often the files are looked at. What has changed is taken at the second look, when both files have been written.
const INTERVAL: Duration = Duration::from_secs(5);

/// Follows the files until the server stops.
pub fn follow(all: Vec<Arc<Tls>>, shutdown: Shutdown) -> std::io::Result<JoinHandle<()>> {
    // Caught from here on: by default it would end the process.
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changed = false;
        loop {
            tokio::select! {
                () = shutdown.clone().requested() => return,
                _ = hangup.recv() => {
                    tracing::info!(component = "server", action = "certificate.reload", "SIGHUP: the certificates are read again");
                    on_all(&all, Tls::reload).await;
                }
                _ = ticks.tick() => {
                    let has_changed = on_all(&all, Tls::has_changed).await.into_iter().any(|changed| changed);
                    if changed && has_changed {
                        on_all(&all, Tls::reload).await;
                    }
                    changed = has_changed && !changed;
                }
            }
        }
    }))
}

async fn on_all<T: Send + 'static>(all: &[Arc<Tls>], act: fn(&Tls) -> T) -> Vec<T> {
    let all = all.to_vec();
    spawn_blocking(move || all.iter().map(|tls| act(tls)).collect()).await.unwrap_or_default()
}
