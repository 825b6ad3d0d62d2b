//! The database, and the master key that opens the vault in it.

use std::time::Duration;

use heddle_clock::Environment;
use heddle_store::finding::Examined;
use heddle_store_postgres::PostgresOptions;
use heddle_vault::MasterKeySource;
use serde::Deserialize;

use super::Finding;
use crate::{
    config::{Configuration, DatabaseSettings},
    server,
};

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at the database that the configuration names, and reads the keyring and the installation.
pub async fn examine(configuration: &Configuration, environment: &Environment) -> Examined {
    let wanted = [heddle_vault::KEYRING, server::INSTALLATION];
    let (url, url_file) = match &configuration.database {
        DatabaseSettings::Sqlite => {
            let path = configuration.data_dir.join(server::DATABASE_FILE);
            let looked = tokio::task::spawn_blocking(move || heddle_store_sqlite::examine(&path, &wanted));
            return looked.await.unwrap_or_default();
        }
        DatabaseSettings::Postgres { url, url_file, .. } => (url, url_file),
    };
    let url = match server::postgres_url(url.as_deref(), url_file.as_ref()) {
        Ok(url) => url,
        Err(error) => {
            let finding = Finding::ok("database.connection", "read the database's URL", error.to_string());
            let finding = finding.failure("make the file that 'database.url_file' names, mode 0600");
            return Examined { findings: vec![finding], ..Examined::default() };
        }
    };
    let options =
        PostgresOptions { fsync_required: !configuration.development, ..PostgresOptions::default() };
    let looking = heddle_store_postgres::examine(&url, &options, (environment, &wanted));
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| {
        let happened = format!("no answer within {} s", PATIENCE.as_secs());
        let finding = Finding::ok("database.connection", "look at the database", happened);
        let finding = finding.failure("look at the database's server and at the network before it");
        Examined { findings: vec![finding], ..Examined::default() }
    })
}

/// Whether the master key opens the vault.
pub fn master_key(configuration: &Configuration, documents: &[Option<String>]) -> Finding {
    let source = match &configuration.master_key_file {
        Some(path) => MasterKeySource::Provided(path.clone()),
        None => MasterKeySource::Generated(configuration.data_dir.join("master.key")),
    };
    let keyring = documents.first().and_then(Option::as_deref);
    let tried = "open the vault with the master key";
    match (heddle_vault::opens(&source, keyring), keyring) {
        (Ok(()), Some(_)) => Finding::ok("master_key", tried, "it opens"),
        (Ok(()), None) => {
            Finding::ok("master_key", tried, "nothing is wrong with the key; there is no vault to see yet")
        }
        (Err(error), _) => Finding::ok("master_key", tried, error.to_string())
            .failure("put the right key file in its place; nothing else opens the data"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Installation {
    public_url: String,
}

/// The public URL since the first start.
pub fn public_url(documents: &[Option<String>]) -> Option<String> {
    let document = documents.get(1)?.as_deref()?;
    serde_json::from_str::<Installation>(document).ok().map(|installation| installation.public_url)
}
