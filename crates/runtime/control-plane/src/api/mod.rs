//! The Management API, version 5 (beta): what a participant keeps, and what it does.
//!
//! One module per resource. A handler's signature says what it takes: the leave to act (`guard`, decided from token
//! and path before anything else), the document (`document`: JSON-LD in any spelling to a plain struct), and for
//! creations the `Idempotency-Key`. What it gives is built in `answer`. Lists are selected in `query`.
//!
//! To add a resource: a module with `routes()`, a line in `router` below, and its scopes in `guard`.
//!
//! Deliberately absent: JSON Schemas and cached documents as resources, discovery, secrets, EDRs (the consumer's
//! data plane has them).

mod agreements;
mod answer;
mod assets;
mod associations;
mod catalog;
mod changes;
mod config;
mod counter_party;
mod data_planes;
mod dcp_scopes;
mod definitions;
mod document;
mod events;
mod expressions;
mod guard;
mod negotiations;
mod participants;
mod policies;
mod present;
mod profiles;
mod query;
mod traces;
mod transfers;

use std::sync::Arc;

use axum::Router;
use heddle_web::{InFlight, Management, Surface};

use crate::ControlPlane;

/// Where the API lies: every base with every version.
const BASES: [&str; 2] = ["/api/mgmt", "/api/management"];
const VERSIONS: [&str; 3] = ["v5beta", "v5", "v5alpha"];
/// Largest document that is read, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most requests at a time.
const IN_FLIGHT_MAX: usize = 512;

/// Every route of the API, with its full path.
pub(crate) fn router(plane: &Arc<ControlPlane>) -> Router {
    let resources = Router::new()
        .merge(agreements::routes())
        .merge(assets::routes())
        .merge(associations::routes())
        .merge(catalog::routes())
        .merge(config::routes())
        .merge(data_planes::routes())
        .merge(dcp_scopes::routes())
        .merge(definitions::routes())
        .merge(events::routes())
        .merge(expressions::routes())
        .merge(negotiations::routes())
        .merge(participants::routes())
        .merge(policies::routes())
        .merge(profiles::routes())
        .merge(traces::routes())
        .merge(transfers::routes());
    let surface = Surface::<Management>::new("management", plane.environment.clone())
        .in_flight(InFlight::new(IN_FLIGHT_MAX))
        .body_bytes_max(BODY_BYTES_MAX)
        .finish(resources.with_state(plane.clone()));
    let paths = BASES.iter().flat_map(|base| VERSIONS.iter().map(move |version| format!("{base}/{version}")));
    paths.fold(Router::new(), |router, path| router.nest(&path, surface.clone()))
}
