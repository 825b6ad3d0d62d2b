//! Bad input to the binary: one clear sentence, exit code 1, and nothing is lost.
//!
//! Every command is a process of its own with a home of its own. What must not change is compared byte by byte.

mod api;
mod arguments;
mod audit;
mod configuration;
mod credentials;
mod data_directory;
mod doctor;
mod files;
mod full_disk;
mod master_key;
mod outage;
mod outcome;
mod place;
mod port;
mod postgres;
mod rotation;
mod server;
mod settings;
mod strangers;
