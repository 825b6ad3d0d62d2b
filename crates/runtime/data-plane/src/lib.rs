//! The data plane: where bytes move.
//!
//! * `source`: what a dataset id stands for, an upload or an HTTP origin. `blob`: where uploads lie.
//! * `flow`: data flows as a control plane drives them (Data Plane Signaling), and the callbacks to it.
//! * `table`: the live flows in memory, and the permits that open them. `proxy`: bytes for a permit, and for nothing
//!   else.
//! * `endpoints`: the surfaces for control planes, for the participant's own applications, and for data.
//!
//! No request for data touches the database: the table knows the live flows, and every commit that changes one
//! changes the table too.
//!
//! Deliberately absent: policies and agreements (the control plane has decided before a flow exists), whole bodies
//! in memory.

mod blob;
mod control_planes;
mod endpoints;
mod flow;
mod parts;
mod proxy;
mod source;
mod table;

pub use blob::{BlobError, BlobStore, DirectoryBlobs, StoredBlob};
pub use parts::{DataPlane, Parts};
