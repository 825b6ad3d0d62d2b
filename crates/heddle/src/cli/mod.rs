//! Commands: each has its arguments, one function, and errors that are a sentence on standard error.

mod audit;
mod config;
mod demo;
mod doctor;
mod jobs;
mod output;
mod place;
mod start;
mod status;
mod token_keys;
mod vault;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use output::Format;

/// Dataspace participation as a managed service, in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "heddle",
    version,
    about,
    propagate_version = true,
    after_help = "Exit codes: 0 it is done; 1 it failed, one sentence on standard error says why; 2 the arguments are wrong."
)]
pub struct Command {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Start every role in one process for development: embedded database, vault, bus and token service.
    StartDev(start::StartDev),
    /// Start the roles that a configuration file names.
    Serve(start::Serve),
    /// Write, check and show configuration files.
    #[command(subcommand)]
    Config(config::Config),
    /// Play the main job as a story: found a dataspace, bring two organisations on board, share a file.
    Demo(demo::Demo),
    /// Try every dependency of an installation, and say what to do. Changes nothing.
    Doctor(doctor::Doctor),
    /// Look at the jobs of a running server that were set aside, and replay or discard them.
    Jobs(jobs::Jobs),
    /// Verify or read the audit log.
    Audit(audit::Audit),
    /// Show a running server.
    Status(status::Status),
    /// Show and rotate the master key of the vault.
    #[command(subcommand)]
    Vault(vault::Vault),
    /// The keys that access tokens are signed with: look at them, replace them, revoke one.
    TokenKeys(token_keys::TokenKeys),
}

impl Command {
    /// Runs the command to its end. A failure is printed as one sentence and gives exit code 1.
    pub fn run(self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return output::fail(&format!("the runtime does not start: {error}")),
        };
        let result = runtime.block_on(async {
            match self.command {
                Subcommands::StartDev(arguments) => arguments.run().await,
                Subcommands::Serve(arguments) => arguments.run().await,
                Subcommands::Config(command) => command.run(),
                Subcommands::Demo(arguments) => arguments.run().await,
                Subcommands::Doctor(arguments) => arguments.run().await,
                Subcommands::Jobs(arguments) => arguments.run().await,
                Subcommands::Audit(arguments) => arguments.run().await,
                Subcommands::Status(arguments) => arguments.run().await,
                Subcommands::Vault(command) => command.run().await,
                Subcommands::TokenKeys(arguments) => arguments.run().await,
            }
        });
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => output::fail(&output::sentence(&error)),
        }
    }
}
