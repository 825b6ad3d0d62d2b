//! The control plane through its router: the Management API, and the Dataspace Protocol's catalog and versions.

mod access;
mod catalog;
mod expressions;
mod life_cycle;
mod lost_answers;
mod paging;
mod process;
mod races;
mod registration;
mod resources;
mod stops;
mod support;
