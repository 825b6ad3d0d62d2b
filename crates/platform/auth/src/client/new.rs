//! What is asked for when a client is made.

use heddle_clock::Timestamp;
use heddle_ids::ClientId;
use heddle_tenancy::Owner;

use crate::{ApiScope, ClientError, Role, SCOPES_MAX, scope::SCOPES_BYTES_MAX};

/// Everything that an administrator may do.
const ADMIN: [&str; 5] = [
    "management-api:admin",
    "identity-api:admin",
    "issuer-admin-api:admin",
    "tenant-manager-api:write",
    "provision-manager-api:write",
];
/// The APIs that a provisioner works with; the role narrows them.
const PROVISIONER: [&str; 2] = ["management-api:admin", "identity-api:admin"];
/// What the API clients of a participant get unless something else is said.
const PARTICIPANT: [&str; 3] = ["management-api:write", "identity-api:write", "issuer-admin-api:write"];
/// What the API clients of a tenant get unless something else is said.
const TENANT: [&str; 1] = ["tenant-manager-api:write"];

/// A client to make. Whose it is, the transaction says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClient {
    pub(crate) client_id: Option<ClientId>,
    pub(crate) role: Option<Role>,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl NewClient {
    fn with(role: Option<Role>, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        Self { client_id: None, role, scopes, expires_at: None }
    }

    /// A client of the installation that administers everything.
    #[must_use]
    pub fn admin() -> Self {
        Self::with(Some(Role::Admin), &ADMIN)
    }

    /// A client of the installation for the life cycle of participants.
    #[must_use]
    pub fn provisioner() -> Self {
        Self::with(Some(Role::Provisioner), &PROVISIONER)
    }

    /// A client of the installation that has these scopes and no role.
    #[must_use]
    pub fn service(scopes: Vec<String>) -> Self {
        Self { client_id: None, role: None, scopes, expires_at: None }
    }

    /// A client of a participant context.
    #[must_use]
    pub fn participant() -> Self {
        Self::with(Some(Role::Participant), &PARTICIPANT)
    }

    /// A client of a tenant.
    #[must_use]
    pub fn tenant() -> Self {
        Self::with(None, &TENANT)
    }

    /// With this id instead of a new one.
    #[must_use]
    pub fn with_client_id(mut self, id: ClientId) -> Self {
        self.client_id = Some(id);
        self
    }

    /// With these scopes instead of the usual ones.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Vec<String>) -> Self {
        self.scopes = scopes;
        self
    }

    /// It gets no tokens from this time on.
    #[must_use]
    pub fn expiring_at(mut self, end: Timestamp) -> Self {
        self.expires_at = Some(end);
        self
    }

    /// The role and the scopes, if clients of this owner can have them.
    pub(crate) fn checked(&self, owner: &Owner) -> Result<(Option<Role>, Vec<String>), ClientError> {
        let refused = |what: String| Err(ClientError::Role { owner: owner.clone(), what });
        match (owner, self.role) {
            (Owner::Participant(_), Some(Role::Participant)) => {}
            (Owner::Installation, None | Some(Role::Admin | Role::Provisioner))
            | (Owner::Tenant(_), None) => {}
            (_, Some(role)) => return refused(format!("the role {role}")),
            (_, None) => return refused("no role".to_owned()),
        }
        if self.scopes.len() > SCOPES_MAX {
            return Err(ClientError::TooManyScopes);
        }
        let mut scopes = Vec::with_capacity(self.scopes.len());
        for text in &self.scopes {
            let scope = text.parse::<ApiScope>();
            let scope = scope.map_err(|reason| ClientError::Scope { text: text.clone(), reason })?;
            scopes.push(scope.to_string());
        }
        // Separated by spaces.
        let bytes: usize = scopes.iter().map(|scope| scope.len() + 1).sum();
        if bytes > SCOPES_BYTES_MAX {
            return Err(ClientError::TooManyScopes);
        }
        Ok((self.role, scopes))
    }
}
