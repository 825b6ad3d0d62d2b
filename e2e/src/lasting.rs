//! A server that goes away and comes back.

use heddle::{config, home::Credentials, server};
use tempfile::TempDir;

/// A server whose data and address outlast its process.
pub struct Lasting {
    folder: TempDir,
    settings: String,
    credentials: Credentials,
    running: Option<server::Running>,
}

impl Lasting {
    /// With more settings than those of development.
    pub async fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = with_development(settings);
        let running = run(&folder, &settings).await;
        let credentials = running.credentials().expect("they are generated at the first start").clone();
        Self { folder, settings, credentials, running: Some(running) }
    }

    /// The operator's credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
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
        self.settings = with_development(settings);
        self.come_back().await;
    }
}

fn with_development(settings: &str) -> String {
    format!("development = true\nlisten = \"127.0.0.1:0\"\n{settings}")
}

async fn run(folder: &TempDir, settings: &str) -> server::Running {
    let path = folder.path().join("heddle.toml");
    let configuration = config::parse(settings, &path, folder.path()).expect("the settings are right");
    server::start(configuration).await.expect("the server starts")
}
