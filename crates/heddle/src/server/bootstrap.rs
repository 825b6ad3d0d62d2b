//! The clients that an installation has from its first start: the operator's, and those of its own services.
//!
//! The operator's credentials are written once, into a file of mode 0600 in the data directory. The services' secrets
//! lie in the vault; every process of the installation finds them there.

use heddle_auth::{ClientError, NewClient};
use heddle_ids::ClientId;
use heddle_store::StoreError;
use heddle_tenancy::Actor;
use heddle_vault::{Secret, Vault as _};

use super::{foundation::Foundation, running::StartError};
use crate::home::{Credentials, write_private};

/// How often a client is made anew when another replica makes it at the same moment.
const ATTEMPTS_MAX: u32 = 5;

/// A client of one of the installation's own services.
#[derive(Debug, Clone)]
pub struct ServiceClient {
    /// The client id; also the subject of its tokens.
    pub id: String,
    /// The secret.
    pub secret: Secret,
}

/// Which service a client is for: its id and its scopes. Agents provision participants; planes have no role.
const AGENTS: (&str, &[&str]) = (
    "agents",
    &["management-api:admin", "identity-api:admin", "issuer-admin-api:admin", "data-plane-api:admin"],
);
const CONTROL_PLANE: (&str, &[&str]) = ("control-plane", &["signaling:write"]);
const DATA_PLANE: (&str, &[&str]) = ("data-plane", &["signaling:write"]);

/// The clients of the installation's own services.
#[derive(Debug, Clone)]
pub struct ServiceClients {
    /// The agents'.
    pub agents: ServiceClient,
    /// The control plane's, for its signals to data planes.
    pub control_plane: ServiceClient,
    /// The data plane's, for its callbacks.
    pub data_plane: ServiceClient,
}

impl ServiceClients {
    /// Finds them, or makes them at the first start.
    pub async fn obtain(foundation: &Foundation) -> Result<Self, StartError> {
        Ok(Self {
            agents: service_client(foundation, AGENTS).await?,
            control_plane: service_client(foundation, CONTROL_PLANE).await?,
            data_plane: service_client(foundation, DATA_PLANE).await?,
        })
    }
}

async fn service_client(
    foundation: &Foundation,
    (id, scopes): (&str, &[&str]),
) -> Result<ServiceClient, StartError> {
    let operator = foundation.scopes.operator(Actor::new("server"));
    let alias = format!("service-client/{id}");
    for _ in 0..ATTEMPTS_MAX {
        if let Some(secret) = foundation.vault.secret(&operator, &alias).await? {
            return Ok(ServiceClient { id: id.to_owned(), secret });
        }
        let client_id = ClientId::parse(id).expect("the name of a service is an identifier");
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let new = if id == AGENTS.0 {
            NewClient::provisioner().with_scopes(scopes)
        } else {
            NewClient::service(scopes)
        };
        let new = new.with_client_id(client_id);
        let mut transaction = foundation.store.begin(&operator);
        let made = foundation.tokens.create_client(&mut transaction, new).await?;
        foundation.vault.store_secret_in(&mut transaction, &alias, &made.client_secret).await?;
        match transaction.commit().await {
            Ok(()) => return Ok(ServiceClient { id: id.to_owned(), secret: made.client_secret }),
            // Another replica makes it at this moment.
            Err(StoreError::Duplicate { .. } | StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StartError::Bootstrap { what: format!("the client of the service {id}") })
}

/// The operator's credentials: written at the first start, read at later ones if the file is still there.
pub async fn operator_credentials(foundation: &Foundation) -> Result<Option<Credentials>, StartError> {
    let path = foundation.data_dir.credentials();
    match std::fs::read(&path) {
        Ok(text) => return Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(StartError::File { path, source }),
    }
    let operator = foundation.scopes.operator(Actor::new("server"));
    let client_id = ClientId::parse("operator").expect("a word is an identifier");
    let new = NewClient::admin().with_client_id(client_id).with_scopes(operator_scopes());
    let mut transaction = foundation.store.begin(&operator);
    let made = match foundation.tokens.create_client(&mut transaction, new).await {
        Ok(made) => made,
        Err(ClientError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(error.into()),
    };
    match transaction.commit().await {
        Ok(()) => {}
        // It was made before, and whoever had the file has moved it: the secret cannot be shown again.
        Err(StoreError::Duplicate { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let credentials = Credentials {
        url: foundation.public_url.clone(),
        client_id: made.client_id.to_string(),
        client_secret: made.client_secret.expose_text().unwrap_or_default().to_owned(),
    };
    let text = serde_json::to_vec_pretty(&credentials).expect("credentials serialise");
    write_private(&path, &text).map_err(|source| StartError::File { path, source })?;
    Ok(Some(credentials))
}

fn operator_scopes() -> Vec<String> {
    [
        "management-api:admin",
        "identity-api:admin",
        "issuer-admin-api:admin",
        "data-plane-api:admin",
        "tenant-manager-api:write",
        "provision-manager-api:write",
    ]
    .map(str::to_owned)
    .to_vec()
}
