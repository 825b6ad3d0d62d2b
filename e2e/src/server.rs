//! Servers of a test's own, in temporary folders and on free ports.

use std::path::{Path, PathBuf};

use heddle::{config, demo::Place, home::Credentials, server};
use heddle_store_postgres::testing::TestPostgres;
use tempfile::TempDir;

use crate::fire::free_port;

/// A server whose data and address outlast its stops.
pub struct Server {
    folder: TempDir,
    settings: String,
    credentials: Credentials,
    data_dir: PathBuf,
    running: Option<server::Running>,
}

/// The part of a configuration that names a new PostgreSQL database.
pub async fn postgres() -> String {
    let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
    format!("[database]\nkind = \"postgres\"\nurl = \"{url}\"\n")
}

/// Development on a port that is free now and later, with more settings.
pub(crate) fn with_development(settings: &str) -> String {
    format!("development = true\nlisten = \"127.0.0.1:{}\"\n{settings}", free_port())
}

/// The same at the place of an earlier start.
fn settings_at(url: &str, settings: &str) -> String {
    let place = url.trim_end_matches('/').trim_start_matches("http://");
    format!("development = true\nlisten = \"{place}\"\n{settings}")
}

impl Server {
    /// With more settings than those of development.
    pub async fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = with_development(settings);
        let running = run(&folder, &settings).await;
        let credentials = running.credentials().expect("they are generated at the first start").clone();
        let data_dir = running.data_dir().to_owned();
        Self { folder, settings, credentials, data_dir, running: Some(running) }
    }

    /// The operator's credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Where its state is kept.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Everybody is here.
    pub fn place(&self) -> Place {
        Place { provider: self.credentials.clone(), consumer: None }
    }

    /// Stops it.
    pub async fn stop(mut self) {
        self.leave().await;
    }

    /// Goes away.
    pub async fn leave(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Comes back, where it was and with what it had.
    pub async fn come_back(&mut self) {
        let running = run(&self.folder, &self.settings).await;
        assert_eq!(running.url(), self.credentials.url.trim_end_matches('/'), "it is where it was");
        self.running = Some(running);
    }

    /// Comes back with other settings.
    pub async fn come_back_with(&mut self, settings: &str) {
        self.settings = settings_at(&self.credentials.url, settings);
        self.come_back().await;
    }
}

async fn run(folder: &TempDir, settings: &str) -> server::Running {
    let path = folder.path().join("heddle.toml");
    let configuration = config::parse(settings, &path, folder.path()).expect("the settings are right");
    server::start(configuration).await.expect("the server starts")
}
