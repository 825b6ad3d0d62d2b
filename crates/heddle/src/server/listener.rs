//! The listeners: which paths each answers, their certificates, and their end.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use heddle_clock::Environment;
use heddle_web::{Plain, ServerLimits, Shutdown, Stop, Surface, SurfaceLimits, Tls};
use tokio::{net::TcpListener, task::JoinHandle};
use tower::ServiceExt;

use super::{certificates, running::StartError};
use crate::config::{Configuration, Group};

/// Addresses that are bound, and what will be answered there. Connections wait until [`Bound::serve`].
pub struct Bound {
    main: SocketAddr,
    sockets: Vec<Socket>,
}

struct Socket {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    groups: Vec<Group>,
}

/// Listeners that answer.
pub struct Listeners {
    stop: Stop,
    tasks: Vec<JoinHandle<()>>,
}

impl Bound {
    /// Reads the certificates and binds every address. Where a free port was asked for, the configuration has it afterwards.
    pub async fn bind(configuration: &mut Configuration) -> Result<Self, StartError> {
        let http = &configuration.http;
        let certificate =
            |files: &Option<_>| files.clone().map(|files| Tls::load(files).map(Arc::new)).transpose();
        let mut wanted = vec![(configuration.listen, certificate(&http.certificate)?, http.main_groups())];
        for listener in &http.listeners {
            wanted.push((listener.listen, certificate(&listener.certificate)?, listener.groups.clone()));
        }
        let mut sockets = Vec::with_capacity(wanted.len());
        let mut addresses = Vec::with_capacity(wanted.len());
        for (address, tls, groups) in wanted {
            let listener = heddle_web::bind(address).await?;
            let address = listener
                .local_addr()
                .map_err(|source| StartError::File { path: "listener".into(), source })?;
            addresses.push(address);
            sockets.push(Socket { listener, tls, groups });
        }
        for (listener, address) in configuration.http.listeners.iter_mut().zip(&addresses[1..]) {
            listener.listen = *address;
        }
        Ok(Self { main: addresses[0], sockets })
    }

    /// The main listener's address, as a URL.
    pub fn url(&self) -> String {
        let scheme = if self.sockets[0].tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.main)
    }

    /// Answers with `router`.
    pub fn serve(
        self,
        router: &Router,
        configuration: &Configuration,
        environment: &Environment,
        (stop, shutdown): (Stop, Shutdown),
    ) -> Result<Listeners, StartError> {
        let http = &configuration.http;
        let limits = ServerLimits { drain_patience: configuration.drain_patience, ..http.limits };
        let body_bytes_max = usize::try_from(configuration.body_bytes_max).ok();
        let bounds = SurfaceLimits::new(http.in_flight.iter().cloned(), body_bytes_max);
        let router = router.clone().layer(axum::Extension(bounds));
        let certificates: Vec<_> = self.sockets.iter().filter_map(|socket| socket.tls.clone()).collect();
        let mut tasks = Vec::new();
        if !certificates.is_empty() {
            tasks.push(certificates::follow(certificates, shutdown.clone()).map_err(StartError::Signals)?);
        }
        for Socket { listener, tls, groups } in self.sockets {
            let router = only(&groups, router.clone(), environment);
            let shutdown = shutdown.clone();
            tasks.push(match tls {
                Some(tls) => tokio::spawn(heddle_web::serve_tls((listener, tls), router, limits, shutdown)),
                None => tokio::spawn(heddle_web::serve(listener, router, limits, shutdown)),
            });
        }
        Ok(Listeners { stop, tasks })
    }
}

/// The paths of these groups; at every other path there is nothing here.
fn only(groups: &[Group], router: Router, environment: &Environment) -> Router {
    if Group::ALL.iter().all(|group| groups.contains(group)) {
        return router;
    }
    let nothing = Surface::<Plain>::new("elsewhere", environment.clone()).finish(Router::new());
    let answered: Arc<(Vec<Group>, Router)> = Arc::new((groups.to_vec(), nothing));
    router.layer(middleware::from_fn_with_state(answered, admit))
}

async fn admit(State(answered): State<Arc<(Vec<Group>, Router)>>, request: Request, next: Next) -> Response {
    let (groups, nothing) = &*answered;
    if groups.contains(&Group::of(request.uri().path())) {
        return next.run(request).await;
    }
    nothing.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
}

impl Listeners {
    /// Says that nothing new should come; everything is answered still.
    pub fn leave(&self) {
        self.stop.leave();
    }

    /// Takes no new connections, lets requests under way end, and returns.
    pub async fn stop(self) {
        self.stop.stop();
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(component = "server", action = "stop", %error, "a listener ended badly");
            }
        }
    }
}
