//! Clients of the token service: who may ask for which tokens.
//!
//! A record belongs to whom its tokens are for (a participant context, a tenant, or the installation), and goes
//! into the commit that makes that owner. There is no member that names the owner: who can open a transaction of
//! a participant makes clients of that participant, and of no other. The directory row `client` tells in whose
//! rows the record of a client id lies.
//!
//! Two clients of one context may live at a time, so that a secret is changed without a gap: one is used while the
//! other is replaced. At `/oauth/clients`, a request that is repeated under its `Idempotency-Key` replaces the client
//! that it made before, and a deletion ends all clients of the context.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::{Environment, Timestamp};
use heddle_ids::ClientId;
use heddle_store::{Aggregate, Columns, DirectoryRow, Query, StoreError, Transaction};
use heddle_tenancy::Owner;
use heddle_vault::Secret;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{ApiScope, InvalidScope, Role, SCOPES_MAX, scope::SCOPES_BYTES_MAX};

mod new;

pub use new::NewClient;

/// Most clients of one participant context or tenant that live at a time.
pub const CLIENTS_PER_CONTEXT_MAX: u32 = 2;
/// The directory's kind of client rows.
pub(crate) const DIRECTORY_KIND: &str = "client";

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Both clients of the owner are alive.
    #[error(
        "{owner} has {CLIENTS_PER_CONTEXT_MAX} clients already; repeat the request that made one of them to \
         replace it, or delete them"
    )]
    TooMany {
        /// The owner.
        owner: Owner,
    },
    /// The API calls and the participant must be told apart.
    #[error("a client id must differ from the participant context id '{id}'")]
    ContextId {
        /// The id.
        id: ClientId,
    },
    /// A role that an owner's clients cannot have.
    #[error("clients of {owner} cannot have {what}")]
    Role {
        /// The owner.
        owner: Owner,
        /// The role.
        what: String,
    },
    /// A scope that is none.
    #[error("'{text}' is no scope: {reason}")]
    Scope {
        /// The text.
        text: String,
        /// What a scope is.
        reason: InvalidScope,
    },
    /// More scopes than a token may have.
    #[error("a client has at most {SCOPES_MAX} scopes, together at most {SCOPES_BYTES_MAX} bytes long")]
    TooManyScopes,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A client as it is stored: what it may have, and the digest of its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    client_id: ClientId,
    secret: SecretHash,
    #[serde(default)]
    role: Option<Role>,
    scopes: Vec<String>,
    /// Which of the owner's places it takes; `None` where the number is not limited.
    #[serde(default)]
    place: Option<u32>,
    created_at: Timestamp,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

impl ClientRecord {
    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The role of its tokens.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The scopes that it may ask for.
    pub fn scopes(&self) -> impl Iterator<Item = ApiScope> {
        self.scopes.iter().filter_map(|text| text.parse().ok())
    }

    /// When it was made.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it ends; `None` is never.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether it gets tokens at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    pub(crate) fn mark(&self) -> String {
        self.secret.mark()
    }

    pub(crate) fn has_secret(&self, hash: &SecretHash) -> bool {
        self.secret.same(hash)
    }
}

impl Aggregate for ClientRecord {
    const KIND: &'static str = "client";

    fn id(&self) -> &str {
        self.client_id.as_str()
    }

    fn columns(&self) -> Columns {
        let unique_key = self.place.map(|place| format!("place {place}"));
        Columns { unique_key, due_at: self.expires_at, ..Columns::default() }
    }
}

/// SHA-256 of a client secret. Enough, as a secret is 32 random bytes: nobody can try them all.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretHash(String);

impl SecretHash {
    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest(&SHA256, secret)))
    }

    /// A short text that tells this secret's tokens from those of another. Nothing follows from it about the secret.
    pub(crate) fn mark(&self) -> String {
        let hash = digest(&SHA256, format!("tokens of {}", self.0).as_bytes());
        URL_SAFE_NO_PAD.encode(&hash.as_ref()[..12])
    }

    /// Compares in a time that does not depend on where they differ.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// What a new client authenticates with. The secret is shown this once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// The client id.
    pub client_id: ClientId,
    /// The client secret: 43 characters of base64url.
    pub client_secret: Secret,
}

/// What the directory says about a client beside its owner.
#[derive(Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Which tokens are of its secret ([`SecretHash::mark`]).
    #[serde(default)]
    pub(crate) mark: Option<String>,
}

/// Makes a client of the transaction's owner. One per transaction: a second one takes the same place, and the
/// commit fails with `Duplicate`.
pub(crate) async fn create(
    transaction: &mut Transaction<'_>,
    environment: &Environment,
    new: NewClient,
) -> Result<ClientCredentials, ClientError> {
    let access = transaction.access();
    let (role, scopes) = new.checked(access.owner())?;
    let place = free_place(transaction, access.owner()).await?;
    let client_id = new.client_id.unwrap_or_else(|| {
        let (ms, random) = environment.id_parts();
        ClientId::from_parts(ms, random)
    });
    if matches!(access.owner(), Owner::Participant(context) if context.as_str() == client_id.as_str()) {
        return Err(ClientError::ContextId { id: client_id });
    }
    let client_secret = Secret::from_text(URL_SAFE_NO_PAD.encode(environment.random::<32>()));
    let record = ClientRecord {
        client_id: client_id.clone(),
        secret: SecretHash::of(client_secret.expose()),
        role,
        scopes,
        place,
        created_at: transaction.now(),
        expires_at: new.expires_at,
    };
    transaction.insert(&record);
    transaction.publish(DirectoryRow::new(
        DIRECTORY_KIND,
        client_id.as_str(),
        &Listed { mark: Some(record.mark()) },
    ));
    transaction.audit("client.create", client_id.as_str());
    Ok(ClientCredentials { client_id, client_secret })
}

/// A place that no live client has; those of expired ones are cleared. Two who take the same place at the same
/// moment collide on its key.
async fn free_place(transaction: &mut Transaction<'_>, owner: &Owner) -> Result<Option<u32>, ClientError> {
    if *owner == Owner::Installation {
        return Ok(None);
    }
    let now = transaction.now();
    let mut taken = Vec::new();
    for client in transaction.list::<ClientRecord>(&Query::default()).await? {
        if client.is_live(now) {
            taken.extend(client.place);
        } else {
            transaction.withdraw(DIRECTORY_KIND, client.client_id.as_str());
            transaction.delete(&client);
        }
    }
    let free = (0..CLIENTS_PER_CONTEXT_MAX).find(|place| !taken.contains(place));
    free.map(Some).ok_or_else(|| ClientError::TooMany { owner: owner.clone() })
}

/// Deletes a client of the transaction's owner; whether there was one.
pub(crate) async fn delete(transaction: &mut Transaction<'_>, id: &ClientId) -> Result<bool, StoreError> {
    let Some(client) = transaction.load::<ClientRecord>(id.as_str()).await? else { return Ok(false) };
    transaction.withdraw(DIRECTORY_KIND, id.as_str());
    transaction.audit("client.delete", id.as_str());
    transaction.delete(&client);
    Ok(true)
}

/// The clients of the transaction's owner, oldest first, expired ones included.
pub(crate) async fn list(transaction: &mut Transaction<'_>) -> Result<Vec<ClientRecord>, StoreError> {
    let query = Query { order: heddle_store::Order::CreatedAscending, ..Query::default() };
    let clients = transaction.list::<ClientRecord>(&query).await?;
    Ok(clients.into_iter().map(heddle_store::Loaded::into_value).collect())
}
