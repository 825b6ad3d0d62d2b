//! A server inside this process, for the demo and for tests.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::running::{Running, StartError, start};
use crate::{config, home::Credentials};

/// A server for development in a folder of its own, on a free port of the loopback interface.
#[derive(Debug, Clone)]
pub struct Development {
    folder: PathBuf,
}

/// A started [`Development`] server.
pub struct DevelopmentServer {
    running: Running,
    credentials: Credentials,
}

impl Development {
    /// With its state in `folder`.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Starts it.
    pub async fn start(self) -> anyhow::Result<DevelopmentServer> {
        let mut configuration = config::parse("", Path::new("heddle.toml"), &self.folder)?;
        configuration.development = true;
        configuration.allow_private_addresses = true;
        configuration.listen.set_port(0);
        // Whoever started it is the only one to speak with it, and has finished when he stops it.
        configuration.http.limits.linger = Duration::from_millis(1);
        let running = start(configuration).await?;
        let credentials = running
            .credentials()
            .cloned()
            .ok_or_else(|| StartError::Bootstrap { what: "the operator's client".to_owned() })?;
        Ok(DevelopmentServer { running, credentials })
    }
}

impl DevelopmentServer {
    /// The operator's credentials.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The server's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        self.running.url()
    }

    /// Stops it.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}
