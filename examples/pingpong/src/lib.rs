//! An example, kept with the product: how to add an aggregate, a job and an endpoint.
//!
//! Two servers exchange a counter by HTTP. Whoever receives a hit changes the game ([`game`], the aggregate), enqueues
//! the hit back ([`returning`], the job) and emits an event, all in one commit ([`api`], the endpoint). A hit that is
//! delivered twice is answered from the first time. So nothing is lost and nothing is doubled, whoever dies when; the
//! test `fire` kills both servers at commits of its choice and looks.
//!
//! `README.md` beside this crate walks through the code in the order in which one would write it.
//!
//! Deliberately absent: a life cycle of participants (any context that a token names may play), and peers that are
//! strangers. The two servers trust each other's tokens; a dataspace's peers prove themselves to `heddle-dcp`.

pub mod api;
pub mod game;
pub mod passes;
pub mod returning;
pub mod server;
pub mod settings;
pub mod umpire;
