//! Whether what this process needs works.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use heddle_auth::Authenticator;
use heddle_store::Store;
use heddle_tenancy::{Actor, ScopeIssuer};
use heddle_vault::{Secret, Vault};
use heddle_web::health::Check;

use crate::{config::Configuration, server::foundation::Foundation};

/// Everything that the process needs.
pub(super) fn all(configuration: &Configuration, foundation: &Foundation) -> Vec<Arc<dyn Check>> {
    let store = &foundation.store;
    vec![
        Arc::new(Database(store.clone())),
        Arc::new(Bus(store.clone())),
        Arc::new(SecretsOpen { vault: foundation.vault.clone(), scopes: foundation.scopes.clone() }),
        Arc::new(Issuers(foundation.authenticator.clone())),
        Arc::new(Disk {
            path: foundation.data_dir.path().to_owned(),
            free_min: configuration.telemetry.disk_free_bytes_min,
        }),
    ]
}

/// It answers.
struct Database(Store);

#[async_trait]
impl Check for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| error.to_string())
    }
}

/// Processes wake each other. Without that all goes on, later.
struct Bus(Store);

#[async_trait]
impl Check for Bus {
    fn name(&self) -> &'static str {
        "bus"
    }

    fn is_essential(&self) -> bool {
        false
    }

    async fn check(&self) -> Result<(), String> {
        self.0.database().hears_others()
    }
}

/// What is sealed can be opened.
struct SecretsOpen {
    vault: Arc<dyn Vault>,
    scopes: Arc<ScopeIssuer>,
}

#[async_trait]
impl Check for SecretsOpen {
    fn name(&self) -> &'static str {
        "vault"
    }

    async fn check(&self) -> Result<(), String> {
        const LABEL: &str = "health";
        let operator = self.scopes.operator(Actor::new("health"));
        let told = |error: heddle_vault::VaultError| error.to_string();
        let sealed =
            self.vault.seal(&operator, LABEL, &Secret::from_text(LABEL.to_owned())).await.map_err(told)?;
        let opened = self.vault.open_sealed(&operator, LABEL, &sealed).await.map_err(told)?;
        if opened.expose_text() == Some(LABEL) { Ok(()) } else { Err("it opens something else".to_owned()) }
    }
}

/// Keys of whoever issues tokens can be had. Those that are remembered still count, so a process without them stays
/// where it is: another one would not know more.
struct Issuers(Arc<Authenticator>);

#[async_trait]
impl Check for Issuers {
    fn name(&self) -> &'static str {
        "identity-issuers"
    }

    fn is_essential(&self) -> bool {
        false
    }

    async fn check(&self) -> Result<(), String> {
        let troubled = self.0.troubled_issuers().await;
        if troubled.is_empty() { Ok(()) } else { Err(troubled.join("; ")) }
    }
}

/// There is room in the data directory.
struct Disk {
    path: PathBuf,
    free_min: u64,
}

#[async_trait]
impl Check for Disk {
    fn name(&self) -> &'static str {
        "disk"
    }

    /// Whoever reads is served all the same, and a request that finds no room is told so.
    fn is_essential(&self) -> bool {
        false
    }

    #[expect(clippy::cast_precision_loss, reason = "it is shown to people")]
    async fn check(&self) -> Result<(), String> {
        let space = rustix::fs::statvfs(&self.path)
            .map_err(|error| format!("the free space of the data directory is not known: {error}"))?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        metrics::gauge!("heddle_data_dir_free_bytes").set(free as f64);
        if free >= self.free_min {
            return Ok(());
        }
        let (free, min) = (free >> 20, self.free_min >> 20);
        Err(format!(
            "the data directory has {free} MiB left, less than {min}; make room, or data cannot be kept"
        ))
    }
}
