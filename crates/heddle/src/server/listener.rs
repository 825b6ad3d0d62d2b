//! The public listener: an accept loop of its own task, and its end.

use std::time::Duration;

use axum::Router;
use heddle_web::{ServerLimits, Shutdown, Stop};
use tokio::{net::TcpListener, task::JoinHandle};

/// A listener that answers.
pub struct Listener {
    stop: Stop,
    task: JoinHandle<()>,
}

/// Serves `router` on a bound socket.
pub fn listen(
    socket: TcpListener,
    router: Router,
    (stop, shutdown): (Stop, Shutdown),
    drain_patience: Duration,
) -> Listener {
    let limits = ServerLimits { drain_patience, ..ServerLimits::default() };
    let task = tokio::spawn(heddle_web::serve(socket, router, limits, shutdown));
    Listener { stop, task }
}

impl Listener {
    /// Takes no new connections, lets requests under way end, and returns.
    pub async fn stop(self) {
        self.stop.stop();
        if let Err(error) = self.task.await {
            tracing::error!(component = "server", action = "stop", %error, "the listener ended badly");
        }
    }
}
