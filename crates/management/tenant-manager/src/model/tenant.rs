//! Tenants.

use heddle_ids::TenantId;
use heddle_store::Aggregate;
use serde::{Deserialize, Serialize};

use super::Properties;

/// An organisation that is a customer of the installation. Owned by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    #[serde(default)]
    pub(crate) properties: Properties,
    /// It is about to be deleted, and gets no further participant profiles.
    #[serde(default)]
    pub(crate) closing: bool,
}

impl Tenant {
    /// Directory rows by which tenants are listed: id → nothing.
    pub(crate) const DIRECTORY: &'static str = "tenant";
}

impl Aggregate for Tenant {
    const KIND: &'static str = "tenant";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}
