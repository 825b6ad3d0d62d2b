//! Servers of a test's own, in temporary folders and on free ports.

use std::path::Path;

use heddle::{config, demo::Place, home::Credentials, server};
use heddle_store_postgres::testing::TestPostgres;
use tempfile::TempDir;

/// A running server.
pub struct Server {
    running: server::Running,
    _folder: TempDir,
}

/// The part of a configuration that names a new PostgreSQL database.
pub async fn postgres() -> String {
    let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
    format!("[database]\nkind = \"postgres\"\nurl = \"{url}\"\n")
}

impl Server {
    /// With more settings than those of development.
    pub async fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("development = true\nlisten = \"127.0.0.1:0\"\n{settings}");
        let path = folder.path().join("heddle.toml");
        let configuration = config::parse(&text, &path, folder.path()).expect("the settings are right");
        let running = server::start(configuration).await.expect("the server starts");
        Self { running, _folder: folder }
    }

    /// The operator's credentials.
    pub fn credentials(&self) -> Credentials {
        self.running.credentials().expect("they are generated at the first start").clone()
    }

    /// Where its state is kept.
    pub fn data_dir(&self) -> &Path {
        self.running.data_dir()
    }

    /// Everybody is here.
    pub fn place(&self) -> Place {
        Place { provider: self.credentials(), consumer: None }
    }

    /// Stops it.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}
