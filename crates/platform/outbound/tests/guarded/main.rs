//! Where the client goes, where it does not, and how much it bears.

mod hopping;
mod limits;
mod proxies;
mod rebinding;
mod secure;
mod support;
