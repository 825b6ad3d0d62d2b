//! Databases of the tests' own, and what is done with them.

use std::{sync::Arc, time::Duration};

use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_store::{NewEvent, NewJob, Store, StoreError, Transaction};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, testing::TestPostgres};
use heddle_tenancy::{Actor, ParticipantScope, ScopeIssuer};

pub const PATIENCE: Duration = Duration::from_secs(120);

#[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
pub fn participant(id: &str) -> ParticipantScope {
    ScopeIssuer::new().participant(ParticipantContextId::parse(id).expect("legal"), Actor::new("test"))
}

pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("it does not panic")
}

pub async fn url() -> String {
    blocking(|| TestPostgres::shared().url()).await
}

pub async fn sql(url: &str, sql: &str) -> String {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    blocking(move || TestPostgres::shared().administer(&url, &sql)).await
}

pub fn options() -> PostgresOptions {
    PostgresOptions { connections_max: 6, ..PostgresOptions::default() }
}

pub async fn connect_with(url: &str, options: &PostgresOptions) -> Result<PostgresDatabase, StoreError> {
    PostgresDatabase::connect(url, options, &Environment::system()).await
}

pub fn store(database: PostgresDatabase) -> Store {
    Store::new(Arc::new(database), Environment::system())
}

/// A commit with something of every kind.
pub async fn write(store: &Store, scope: &ParticipantScope, name: &str) -> Result<(), StoreError> {
    commit(store, scope, |tx| {
        tx.emit(NewEvent::new("e", name, &()));
        tx.enqueue(NewJob::new("work", name, &()));
        tx.audit("thing.change", name);
        tx.once(name, tx.now() + PATIENCE);
    })
    .await
}

pub async fn commit(
    store: &Store,
    scope: &ParticipantScope,
    fill: impl FnOnce(&mut Transaction<'_>),
) -> Result<(), StoreError> {
    let mut tx = store.begin(scope);
    fill(&mut tx);
    tx.commit().await
}

/// The sentence of a refusal that trying again does not change.
pub fn refused<T>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Unusable { reason }) => reason,
        Err(other) => panic!("expected Unusable, got {other:?}"),
        Ok(_) => panic!("expected Unusable"),
    }
}
