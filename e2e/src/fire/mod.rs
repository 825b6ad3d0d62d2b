//! One story over many deaths: servers that are killed at commits of the story's, and start again while it goes on.
//!
//! An [`Arbiter`] in the test's process counts the commits of all servers ([`Progress`]) and says which of them is a
//! server's last, before or after it. [`Judged`] asks it, in front of the real database of a binary that only tests
//! have. A [`Place`] keeps a server alive: whenever it has been killed, it comes back with its data and on its port. A
//! [`Replicas`] is an installation with two servers of each role, behind one [`Proxy`].

mod arbiter;
mod folder;
mod judged;
mod place;
mod ports;
mod progress;
mod proxy;
mod replicas;

pub use arbiter::{Arbiter, Death, Fate};
pub use folder::Folder;
pub use judged::Judged;
pub use place::Place;
pub use ports::free_port;
pub use progress::{Point, Progress};
pub use proxy::{Backend, Proxy};
pub use replicas::Replicas;
