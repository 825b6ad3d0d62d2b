//! Arguments that say which configuration counts.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Sources, UnknownSetting};

/// Which configuration.
#[derive(Debug, Args)]
pub struct Place {
    /// The configuration file; without it, the defaults.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where state is kept, in place of the configuration's 'data_dir'.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    set: Set,
}

/// Settings that win over the file and the environment.
#[derive(Debug, Args)]
pub struct Set {
    /// A setting that wins over the file and the environment, such as log.format=text. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pairs: Vec<String>,
}

impl Set {
    /// Puts them over the others.
    ///
    /// # Errors
    /// When one is no setting.
    pub fn over(&self, mut sources: Sources) -> Result<Sources, UnknownSetting> {
        for pair in &self.pairs {
            sources.set_pair(pair, "--set")?;
        }
        Ok(sources)
    }
}

impl Place {
    /// Whether anything is said.
    pub fn is_named(&self) -> bool {
        self.config.is_some() || self.data_dir.is_some() || !self.set.pairs.is_empty()
    }

    /// Where its values come from.
    ///
    /// # Errors
    /// When a flag names no setting.
    pub fn sources(&self) -> anyhow::Result<Sources> {
        let mut sources = self.set.over(Sources::of(self.config.as_deref()).with_environment())?;
        if let Some(path) = &self.data_dir {
            // A path of the command line is relative to the current folder, not to the file's.
            let path = std::path::absolute(path)?;
            sources.set("data_dir", &path.to_string_lossy(), "--data-dir")?;
        }
        Ok(sources)
    }
}
