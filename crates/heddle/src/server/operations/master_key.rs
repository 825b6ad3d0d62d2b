//! `/api/operations/v1alpha1/master-key`: which master keys open the vault, and the rotation of it.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use heddle_auth::{Area, RequiredScope};
use heddle_tenancy::OperatorScope;
use heddle_vault::{MasterKeys, Rotation, VaultError};
use heddle_web::{Kind, Plain, Refused, Rejection, Surface, reply};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::server::{foundation::Foundation, unauthenticated::refusal};

/// Who may look after the installation itself.
const OPERATIONS: RequiredScope = RequiredScope::admin("identity-api").within(Area::Installation);

/// A master key, by its name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyShown {
    /// A name that is derived from the key and tells nothing else of it.
    pub key: String,
    /// Since when it opens the vault, RFC 3339.
    pub since: String,
}

/// The master keys of an installation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MasterKeysShown {
    /// Those that open the vault, oldest first: two while a rotation is under way.
    pub keys: Vec<KeyShown>,
    /// Where the server that answers reads its key.
    pub place: String,
    /// The key that lies there now.
    pub current: Option<String>,
    /// The key that waits to take its place.
    pub next: Option<String>,
}

impl From<MasterKeys> for MasterKeysShown {
    fn from(keys: MasterKeys) -> Self {
        let shown =
            |(key, since): (String, heddle_clock::Timestamp)| KeyShown { key, since: since.to_string() };
        let MasterKeys { keys, place, current, next } = keys;
        Self { keys: keys.into_iter().map(shown).collect(), place, current, next }
    }
}

/// What a rotation has come to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "state")]
pub enum RotationShown {
    /// This key alone opens the vault.
    Done {
        /// Its name.
        key: String,
    },
    /// The old and the new key open it, until the operator has replaced the file and asks again.
    Prepared {
        /// The name of the new key.
        key: String,
        /// The file to replace.
        file: String,
        /// The file to replace it with.
        next: String,
    },
}

impl From<Rotation> for RotationShown {
    fn from(rotation: Rotation) -> Self {
        match rotation {
            Rotation::Done { key } => Self::Done { key },
            Rotation::Prepared { key, file, next } => Self::Prepared { key, file, next },
        }
    }
}

/// The routes.
pub fn routes(foundation: &Arc<Foundation>) -> Router {
    let router = Router::new().route("/", get(show)).route("/rotations", post(rotate));
    let surface = Surface::<Plain>::new("operations-api", foundation.environment.clone());
    let router = surface.finish(router.with_state(foundation.clone()));
    Router::new().nest("/api/operations/v1alpha1/master-key", router)
}

async fn show(
    State(foundation): State<Arc<Foundation>>,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let operator = leave(&foundation, &headers).await?;
    let keys = foundation.vault.master_keys(&operator).await.map_err(refused)?;
    Ok(reply(StatusCode::OK, &MasterKeysShown::from(keys)))
}

/// May be repeated: it goes on with what was begun.
async fn rotate(
    State(foundation): State<Arc<Foundation>>,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let operator = leave(&foundation, &headers).await?;
    let rotation = foundation.vault.rotate_master_key(&operator).await.map_err(refused)?;
    Ok(reply(StatusCode::OK, &RotationShown::from(rotation)))
}

async fn leave(foundation: &Foundation, headers: &HeaderMap) -> Result<OperatorScope, Rejection> {
    let token = heddle_web::bearer_token(headers)?;
    let principal = foundation.authenticator.authenticate(token).await;
    let principal = principal.map_err(|error| refusal(&error))?;
    let scope = foundation.authenticator.operator(&principal, &OPERATIONS);
    scope.map_err(|error| Rejection::new(Kind::Forbidden, error.to_string()))
}

/// What is wrong with a file is the operator's to mend.
fn refused(error: VaultError) -> Rejection {
    match error {
        VaultError::Store(error) => error.into(),
        other => Rejection::new(Kind::Conflict, other.to_string()),
    }
}
