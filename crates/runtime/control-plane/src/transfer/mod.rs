//! Transfer processes, as provider and as consumer.

use std::sync::Arc;

use heddle_store::Worker;

use crate::ControlPlane;

/// Registers the jobs of transfers.
pub(crate) fn jobs(_plane: &Arc<ControlPlane>, worker: Worker) -> Worker {
    worker
}

/// The authority (host and port) of a URL, by which calls to one peer are counted.
pub(crate) fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}
