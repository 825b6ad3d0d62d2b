//! Data addresses, which open doors: a stored transfer has them sealed.
//!
//! The machine sees stubs alone: an address without endpoint whose only property is what the participant's vault has
//! sealed. So no document, job, event or answer holds a token. A stub is opened where the address is sent to the peer
//! or handed to the data plane, and nowhere else; it goes away with the transfer that it lies in.

use heddle_dsp::{
    process::InFlight,
    transfer::{Message, TransferProcess},
    wire::{DataAddress, EndpointProperty},
};
use heddle_outbound::RetryClass;
use heddle_store::StoreError;
use heddle_tenancy::{ParticipantScope, Scope};
use heddle_vault::{Secret, Vault, VaultError};

use super::plane_client::Progress;
use crate::ControlPlane;

/// The property of a stub.
const SEALED: &str = "sealed";

fn label(id: &str) -> String {
    format!("control-plane/transfer/{id}/address")
}

async fn seal(
    vault: &dyn Vault,
    scope: &dyn Scope,
    id: &str,
    address: &DataAddress,
) -> Result<DataAddress, VaultError> {
    let text = Secret::new(serde_json::to_vec(address).expect("an address serialises"));
    let sealed = vault.seal(scope, &label(id), &text).await?;
    Ok(DataAddress {
        kind: address.kind,
        endpoint_type: address.endpoint_type.clone(),
        endpoint: None,
        endpoint_properties: vec![EndpointProperty::new(SEALED, sealed)],
    })
}

async fn open(
    vault: &dyn Vault,
    scope: &dyn Scope,
    id: &str,
    stub: &DataAddress,
) -> Result<DataAddress, VaultError> {
    let damaged = || VaultError::Sealed { owner: scope.access().owner().clone(), alias: label(id) };
    let sealed = stub.property(SEALED).ok_or_else(damaged)?;
    let text = vault.open_sealed(scope, &label(id), sealed).await?;
    serde_json::from_slice(text.expose()).map_err(|_| damaged())
}

/// Why an address does not open, and whether it may later: a database that is away comes back.
pub(super) fn trouble(error: &VaultError) -> (String, RetryClass) {
    let class = match error {
        VaultError::Store(_) => RetryClass::Retry { after: None },
        _ => RetryClass::Final,
    };
    (error.to_string(), class)
}

impl ControlPlane {
    /// A message of the peer as the machine may have it.
    pub(super) async fn seal_message(
        &self,
        scope: &dyn Scope,
        id: &str,
        message: Message,
    ) -> Result<Message, StoreError> {
        Ok(match message {
            Message::Request(Some(address)) => {
                Message::Request(Some(Box::new(self.sealed(scope, id, &address).await?)))
            }
            Message::Start(Some(address)) => {
                Message::Start(Some(Box::new(self.sealed(scope, id, &address).await?)))
            }
            other => other,
        })
    }

    /// The answer of a data plane as the machine may have it.
    pub(super) async fn seal_progress(
        &self,
        scope: &dyn Scope,
        id: &str,
        progress: Progress,
    ) -> Result<Progress, StoreError> {
        Ok(match progress {
            Progress::Done(Some(address)) => {
                Progress::Done(Some(Box::new(self.sealed(scope, id, &address).await?)))
            }
            other => other,
        })
    }

    async fn sealed(
        &self,
        scope: &dyn Scope,
        id: &str,
        address: &DataAddress,
    ) -> Result<DataAddress, StoreError> {
        seal(self.vault.as_ref(), scope, id, address).await.map_err(|error| match error {
            VaultError::Store(error) => error,
            // Whoever sends the address sends it again.
            error => StoreError::Unavailable { reason: error.to_string() },
        })
    }

    /// The message in flight as the peer is to have it.
    pub(super) async fn open_flight(
        &self,
        scope: &ParticipantScope,
        process: &TransferProcess,
        flight: &InFlight<Message>,
    ) -> Result<InFlight<Message>, VaultError> {
        let mut flight = flight.clone();
        if let Message::Request(Some(address)) | Message::Start(Some(address)) = &mut flight.message {
            **address = open(self.vault.as_ref(), scope, process.id().as_str(), address).await?;
        }
        Ok(flight)
    }

    /// The address that the data moves through, as the data plane is to have it.
    pub(super) async fn open_address(
        &self,
        scope: &ParticipantScope,
        process: &TransferProcess,
    ) -> Result<Option<DataAddress>, VaultError> {
        match process.data_address() {
            Some(stub) => open(self.vault.as_ref(), scope, process.id().as_str(), stub).await.map(Some),
            None => Ok(None),
        }
    }
}
