//! The surfaces of the data plane: signals, sources, consumer applications, the end of a
//! participant, data.

mod access;
mod control_planes;
mod data;
mod flows;
mod participants;
mod signals;
mod sources;

use std::sync::Arc;

use axum::Router;
use heddle_web::{InFlight, Plain, Surface};

use crate::DataPlane;

/// Largest message that is read, in bytes. Uploads have a bound of their own.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Most requests at a time on each surface; downloads have many more places than signals.
const IN_FLIGHT_MAX: usize = 512;
const DOWNLOADS_MAX: usize = 4096;

impl DataPlane {
    /// Every route of the data plane.
    pub fn router(self: &Arc<Self>) -> Router {
        let surface = |name, places| {
            Surface::<Plain>::new(name, self.environment.clone())
                .in_flight(InFlight::new(places))
                .body_bytes_max(BODY_BYTES_MAX)
        };
        let participant = "/api/dataplane/v1/participants/{context}";
        let with = |router: Router<Arc<Self>>| router.with_state(self.clone());
        Router::new()
            .nest(
                participant,
                surface("data-plane-participants", IN_FLIGHT_MAX).finish(with(participants::routes())),
            )
            .nest(
                &format!("{participant}/dataflows"),
                surface("data-plane-signals", IN_FLIGHT_MAX).finish(with(signals::routes())),
            )
            .nest(
                &format!("{participant}/controlplanes"),
                surface("data-plane-control-planes", IN_FLIGHT_MAX).finish(with(control_planes::routes())),
            )
            .nest(
                &format!("{participant}/sources"),
                surface("data-plane-sources", IN_FLIGHT_MAX).streaming().finish(with(sources::routes())),
            )
            .nest(
                &format!("{participant}/flows"),
                surface("data-plane-flows", IN_FLIGHT_MAX).finish(with(flows::routes())),
            )
            .nest("/public", surface("data", DOWNLOADS_MAX).finish(with(data::routes())))
    }
}
