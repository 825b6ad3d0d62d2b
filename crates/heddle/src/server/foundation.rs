//! The foundation of a server: database, scopes, vault, tokens, HTTP client.

use std::{path::PathBuf, sync::Arc};

use heddle_auth::{Authenticator, TokenService, TokenSettings};
use heddle_clock::{Environment, Timestamp};
use heddle_did::web::Scheme;
use heddle_outbound::{DidResolver, Outbound};
use heddle_store::{Aggregate, Store, StoreError, audit::AuditLog};
use heddle_store_postgres::{PostgresAudit, PostgresDatabase, PostgresOptions};
use heddle_store_sqlite::{SqliteAudit, SqliteDatabase};
use heddle_tenancy::{OperatorScope, ScopeIssuer};
use heddle_vault::{EmbeddedVault, MasterKeySource, VaultError};
use serde::{Deserialize, Serialize};

use super::{
    audit::Checkpoint,
    data_dir::{self, DATABASE_FILE, DataDir},
    issuers, outgoing,
    running::StartError,
};
use crate::config::{Configuration, DatabaseSettings};

/// An opened database; tests put their own in front of it.
pub type Database = Arc<dyn heddle_store::Database>;

/// What the installation remembers of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Installation {
    public_url: String,
    founded_at: Timestamp,
}

impl Aggregate for Installation {
    const KIND: &'static str = "installation";
    fn id(&self) -> &str {
        "installation"
    }
}

/// Kind and id of the document in which the installation remembers itself.
pub(crate) const INSTALLATION: (&str, &str) = (Installation::KIND, "installation");

/// The foundation of one process.
pub struct Foundation {
    pub store: Store,
    pub environment: Environment,
    pub scopes: Arc<ScopeIssuer>,
    pub vault: Arc<EmbeddedVault>,
    pub tokens: Arc<TokenService>,
    pub authenticator: Arc<Authenticator>,
    pub outbound: Outbound,
    /// For requests to the installation's own services alone: it reaches listeners that nobody outside may name.
    pub internal: Outbound,
    pub resolver: DidResolver,
    pub public_url: String,
    pub data_dir: DataDir,
}

/// Opens the database that the configuration names.
pub async fn open_database(
    configuration: &Configuration,
    data_dir: &DataDir,
    environment: &Environment,
) -> Result<Database, StartError> {
    Ok(match &configuration.database {
        DatabaseSettings::Sqlite => Arc::new(SqliteDatabase::open(data_dir.database(), environment).await?),
        DatabaseSettings::Postgres { url, url_file, connections_max } => {
            let url = postgres_url(url.as_deref(), url_file.as_ref())?;
            let options = PostgresOptions {
                connections_max: *connections_max as usize,
                fsync_required: !configuration.development,
                ..PostgresOptions::default()
            };
            Arc::new(PostgresDatabase::connect(&url, &options, environment).await?)
        }
    })
}

/// Opens the audit log where the configuration says that it is, to be read: a server may be using it.
pub async fn open_audit(configuration: &Configuration) -> Result<Box<dyn AuditLog>, StartError> {
    Ok(match &configuration.database {
        DatabaseSettings::Sqlite => {
            Box::new(SqliteAudit::open(&configuration.data_dir.join(DATABASE_FILE)).await?)
        }
        DatabaseSettings::Postgres { url, url_file, .. } => {
            let url = postgres_url(url.as_deref(), url_file.as_ref())?;
            Box::new(PostgresAudit::connect(&url, &PostgresOptions::default()).await?)
        }
    })
}

/// The checkpoint of the audit log that a server of this configuration keeps.
pub fn audit_checkpoint(configuration: &Configuration) -> Checkpoint {
    Checkpoint::at(data_dir::audit_checkpoint(&configuration.data_dir))
}

pub(crate) fn postgres_url(url: Option<&str>, file: Option<&PathBuf>) -> Result<String, StartError> {
    match (file, url) {
        (Some(path), _) => std::fs::read_to_string(path)
            .map(|text| text.trim().to_owned())
            .map_err(|source| StartError::File { path: path.clone(), source }),
        (None, Some(url)) => Ok(url.to_owned()),
        (None, None) => Ok(String::new()),
    }
}

/// The public URL that was fixed at the first start, if there was one.
pub async fn known_public_url(store: &Store, operator: &OperatorScope) -> Result<Option<String>, StoreError> {
    let loaded = store.begin(operator).load::<Installation>("installation").await?;
    Ok(loaded.map(|installation| installation.public_url.clone()))
}

/// Fixes the public URL at the first start. It is part of every DID and status list, so another one is refused.
pub async fn fix_public_url(store: &Store, operator: &OperatorScope, url: &str) -> Result<(), StartError> {
    let fixed = known_public_url(store, operator).await?;
    match fixed {
        Some(fixed) if fixed == url => Ok(()),
        Some(fixed) => Err(StartError::PublicUrl { fixed, given: url.to_owned() }),
        None => {
            let mut transaction = store.begin(operator);
            let founded_at = transaction.now();
            transaction.insert(&Installation { public_url: url.to_owned(), founded_at });
            match transaction.commit().await {
                // Another replica was faster; its URL counts.
                Err(StoreError::Duplicate { .. }) => match known_public_url(store, operator).await? {
                    Some(fixed) if fixed != url => {
                        Err(StartError::PublicUrl { fixed, given: url.to_owned() })
                    }
                    _ => Ok(()),
                },
                other => Ok(other?),
            }
        }
    }
}

/// Opens the vault; refuses a master key that is not the one of the data.
pub async fn open_vault(
    configuration: &Configuration,
    data_dir: &DataDir,
    (store, operator): (&Store, &OperatorScope),
) -> Result<Arc<EmbeddedVault>, VaultError> {
    let source = match &configuration.master_key_file {
        Some(path) => MasterKeySource::Provided(path.clone()),
        None => MasterKeySource::Generated(data_dir.master_key()),
    };
    Ok(Arc::new(EmbeddedVault::open(store.clone(), operator, &source).await?))
}

/// Stores what documents can be filtered by, where an older release has not: before anybody asks.
pub async fn index(foundation: &Foundation) -> Result<(), StoreError> {
    let stored = foundation.store.index(&foundation.scopes, &heddle_control_plane::filtered()).await?;
    if stored > 0 {
        tracing::info!(
            component = "store",
            action = "index",
            documents = stored,
            "documents can be filtered now"
        );
    }
    Ok(())
}

impl Foundation {
    /// Builds everything above an open database.
    pub async fn build(
        configuration: &Configuration,
        data_dir: DataDir,
        (store, scopes, vault): (Store, Arc<ScopeIssuer>, Arc<EmbeddedVault>),
        public_url: String,
    ) -> Result<Self, StartError> {
        let environment = store.environment().clone();
        let settings = TokenSettings { issuer: public_url.clone(), audience: public_url.clone() };
        let (policy, issuers) = (configuration.auth.tokens.clone(), &configuration.auth.issuers);
        let opened = (settings, policy);
        let tokens = TokenService::open_with(store.clone(), vault.clone(), scopes.clone(), opened).await?;
        let plain = public_url.starts_with("http://");
        outgoing::warn_of_proxies();
        let config = outgoing::to_others(configuration, &public_url);
        let internal = Outbound::new(outgoing::to_ourselves(configuration, &config), environment.clone())?;
        let outbound = Outbound::new(config, environment.clone())?;
        let mut trusted = vec![tokens.trusted_issuer()];
        trusted.extend(issuers::trusted(issuers, &public_url, (&outbound, &store))?);
        let authenticator = Arc::new(Authenticator::new(scopes.clone(), trusted, environment.clone()));
        let scheme = if configuration.development && plain { Scheme::Http } else { Scheme::Https };
        let resolver = DidResolver::new(outbound.clone(), scheme);
        let tokens = Arc::new(tokens);
        Ok(Self {
            store,
            environment,
            scopes,
            vault,
            tokens,
            authenticator,
            outbound,
            internal,
            resolver,
            public_url,
            data_dir,
        })
    }
}
