//! Bounds of surfaces that an operator sets, in place of those that the surfaces set themselves.
//!
//! They travel with each request, from the listener to the surface: a surface that is full says so in its own words.

use std::{collections::HashMap, sync::Arc};

use crate::InFlight;

/// Cheap to clone; clones share the places.
#[derive(Debug, Clone, Default)]
pub struct SurfaceLimits(Arc<Bounds>);

#[derive(Debug, Default)]
struct Bounds {
    places: HashMap<String, InFlight>,
    body_bytes_max: Option<usize>,
}

impl SurfaceLimits {
    /// With this many places for each named surface, and this bound on the bodies of those that have set no smaller one
    /// for themselves.
    #[must_use]
    pub fn new(places: impl IntoIterator<Item = (String, usize)>, body_bytes_max: Option<usize>) -> Self {
        let places = places.into_iter().map(|(name, most)| (name, InFlight::new(most))).collect();
        Self(Arc::new(Bounds { places, body_bytes_max }))
    }

    pub(crate) fn places(&self, surface: &str) -> Option<&InFlight> {
        self.0.places.get(surface)
    }

    pub(crate) fn body_bytes_max(&self) -> Option<usize> {
        self.0.body_bytes_max
    }
}
