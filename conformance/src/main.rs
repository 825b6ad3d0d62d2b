//! Runs the official conformance suites against a Heddle of their own.
//!
//! The product has no mode for them: a suite is met by public features only, and this driver, outside of the product,
//! plays whatever script it needs through the public APIs.

mod dsp;
mod junit;
mod server;
mod suite;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

/// Runs an official conformance suite and prints `N passed, N failed, N skipped`.
#[derive(Debug, Parser)]
struct Command {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Debug, Subcommand)]
enum Suite {
    /// The Dataspace Protocol suite of the Eclipse Dataspace TCK.
    Dsp {
        /// Only these groups of tests.
        #[arg(long, value_delimiter = ',', default_value = "met,cat")]
        only: Vec<Group>,
        /// The heddle binary.
        #[arg(long)]
        heddle: PathBuf,
    },
}

/// A group of tests, by the prefix of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Version metadata.
    Met,
    /// Catalog.
    Cat,
}

impl Group {
    /// The suite's package that holds the tests.
    pub const fn package(self) -> &'static str {
        match self {
            Self::Met => "org.eclipse.dataspacetck.dsp.verification.metadata",
            Self::Cat => "org.eclipse.dataspacetck.dsp.verification.catalog",
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Suite::Dsp { only, heddle } = Command::parse().suite;
    match dsp::run(&only, &heddle).await {
        Ok(result) => {
            print(&result.to_string());
            if result.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            print("0 passed, 1 failed, 0 skipped");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the result belongs on standard output")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "what went wrong belongs on standard error")]
fn complain(text: &str) {
    eprintln!("conformance: {text}");
}
