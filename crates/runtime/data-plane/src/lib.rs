//! The data plane: where bytes move.
//!
//! * `source`: what a dataset id stands for, an upload or an HTTP origin. `blob`: where uploads lie.
//! * `flow`: data flows as a control plane drives them (Data Plane Signaling), and the callbacks to it.
//! * `table`: the live flows in memory, and the permits that open them. `proxy`: bytes for a permit, and for
//!   nothing else. `telling`: what the log says of flows. `presence` and `removal`: that a
//!   participant is here, and its end.
//! * `endpoints`: the surfaces for control planes, for the participant's own applications, and for data.
//!
//! A request for data asks the database nothing, as long as nothing has happened: the table knows the live flows,
//! every commit of this process that changes one changes the table too, and what other replicas commit makes the
//! table look again (see `table` for why that is enough).
//!
//! Access tokens and the addresses that carry them lie sealed in the participant's vault; a stored flow, its
//! events and its directory row hold digests and names, never a token.
//!
//! Deliberately absent: policies and agreements (the control plane has decided before a flow exists), push, ranges,
//! whole bodies in memory.

mod aliases;
mod blob;
mod control_planes;
mod digest;
mod endpoints;
mod flow;
mod parts;
mod presence;
mod proxy;
mod removal;
mod source;
mod table;
mod telling;

pub use blob::{
    BlobError, BlobOwner, BlobStore, ByteStream, CHUNK_BYTES, DirectoryBlobs, OpenBlob, StoredBlob,
};
pub use parts::{DataPlane, Parts};
