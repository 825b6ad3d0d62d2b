//! The Provision Manager over a real database: its REST interface, and its jobs with agents that do as they are told.

mod api;
mod flow;
mod world;
