//! A vault over a database of its own.

use std::sync::Arc;

use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
use heddle_store::Store;
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, OperatorScope, ParticipantScope, ScopeIssuer};
use heddle_vault::{EmbeddedVault, MasterKeySource, VaultError};

/// A database, the clock that it runs by, and the scopes to open it with.
pub struct World {
    pub clock: FixedClock,
    pub store: Store,
    pub scopes: ScopeIssuer,
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "these tests are about what a scope opens in the vault")]
    pub async fn new() -> Self {
        let clock = FixedClock::at(Timestamp::from_seconds(1_769_860_800));
        let environment = Environment::new(Arc::new(clock.clone()), Arc::new(SystemRng));
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment);
        Self { clock, store, scopes: ScopeIssuer::new() }
    }

    pub fn operator(&self) -> OperatorScope {
        self.scopes.operator(Actor::new("test"))
    }

    pub fn participant(&self, id: &str) -> ParticipantScope {
        self.scopes.participant(id.parse().expect("legal"), Actor::new("test"))
    }

    pub async fn open(&self, source: &MasterKeySource) -> Result<EmbeddedVault, VaultError> {
        EmbeddedVault::open(self.store.clone(), &self.operator(), source).await
    }

    /// A vault of a new database.
    pub async fn vault(&self) -> EmbeddedVault {
        self.open(&MasterKeySource::Ephemeral).await.expect("a new vault opens")
    }
}
